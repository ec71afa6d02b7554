// The workbook cloned below a home folder that nobody else may enter, as root's is: a run must still find its
// runtime and its file there, although in the sandbox it is a user without rights.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { allOutput, expect, labPort, openLesson, portIsFree, run, stop, test } from "./student.ts";

const privateHome = mkdtempSync(join(homedir(), ".workbook-private-"));
const clone = join(privateHome, "workbook");
test.use({ workbook: clone });

test.beforeAll(() => {
  chmodSync(privateHome, 0o700);
  execFileSync("mkdir", [clone]);
  execFileSync("cp", [
    "-a",
    "package.json",
    "dist",
    "chapters",
    "html",
    "server-labs",
    "node_modules",
    clone,
  ]);
});
test.afterAll(() => rmSync(privateHome, { recursive: true, force: true }));

test("runs, is reached, and stops", async ({ page, student }) => {
  await openLesson(page, student);
  await run(page);
  await expect(page.getByText(`listening on ${labPort}`).first()).toBeVisible();
  await student.curl();
  await expect.poll(() => allOutput(page)).toContain("GET / HTTP/1.1");
  await stop(page);
  await portIsFree();
});

test("checks", async ({ page, student }) => {
  await openLesson(page, student);
  await page.getByRole("button", { name: "Check", exact: true }).click();
  const checks = page.getByRole("tabpanel", { name: "Checks", exact: true });
  await expect(checks.getByText(/\d+ of \d+ (checks )?pass/)).toBeVisible({ timeout: 60_000 });
  await expect(checks.getByText("failed").first()).toBeVisible();
});
