// The lab server goes away and comes back; the student goes on reading and typing, and loses no letter.
import { expect, labPort, openLesson, portIsFree, run, test } from "./student.ts";

test("types while the lab server is away; it is saved when it is back", async ({ page, student }) => {
  await openLesson(page, student);
  await run(page);
  await expect(page.getByText(`listening on ${labPort}`).first()).toBeVisible();
  await student.endLabServer("SIGKILL");
  await portIsFree();
  await expect(page.getByText(/lab server is (not running|away)/i).first()).toBeVisible();
  await page.locator(".monaco-editor .view-lines").first().click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.type("// written while nobody listened\n");
  await student.startLabServer();
  await expect(page.getByText(/lab server ready/i).first()).toBeVisible();
  await expect.poll(() => student.reads()).toContain("// written while nobody listened");
});

test("a draft that was never saved survives the reload", async ({ page, student }) => {
  await openLesson(page, student);
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("workbook/net");
  await student.endLabServer("SIGKILL");
  await page.locator(".monaco-editor .view-lines").first().click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.type("// only in the browser\n");
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("only in the browser");
  await student.startLabServer();
  await page.reload();
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("only in the browser");
});
