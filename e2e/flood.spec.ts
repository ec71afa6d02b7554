// A flood hides nothing that matters: a polling server without its rest makes a million calls a second, and each of the
// fifty clients of a burst can still be found, with what the server did for it.
import { readFileSync } from "node:fs";
import { expect, openLesson, run, showPane, test } from "./student.ts";

const starter = new URL("../chapters/01-non-blocking/03-polling-model/lab/starter.ts", import.meta.url);
const without = (line: RegExp, text: string) => {
  expect(text).toMatch(line);
  return text.replace(line, "");
};

test("all fifty accepts of a burst are there, with their peers, and so is what was done for each client", async ({
  page,
  student,
}) => {
  test.slow(); // the program takes a whole processor
  const text = readFileSync(starter, "utf8");
  student.writes(without(/ +console\.log\(clients\);.*\n/, without(/ +sleep\(500\);.*\n/, text)));
  await openLesson(page, student);
  await run(page);
  await expect(page.getByText("listening on 7890").first()).toBeVisible();
  await page.getByRole("button", { name: "Clients", exact: true }).click();
  await page.getByRole("menuitem", { name: "A burst of 50" }).click();

  const burst = page.locator(".visit").first();
  await expect(burst).toContainText("50 clients sent their requests");
  const server = burst.locator(".step-client");
  await expect(server).toHaveCount(50);
  await expect(server.filter({ hasText: /^client \d+accept4 = \d+,.*recv = \d+/ })).toHaveCount(50);
  await expect(burst).not.toContainText("accepted");

  await showPane(page, "Syscalls");
  const pane = page.getByRole("tabpanel", { name: "Syscalls", exact: true });
  await page.getByLabel("Filter the calls").fill("accept4 -EAGAIN");
  await page.keyboard.press("Tab");
  await expect(pane.locator(".syscalls-shown")).toHaveText(/^50 of [\d,]+ calls/);
  const rows = pane.getByRole("treeitem");
  await expect(rows.first()).toContainText(/= \d+ from 127\.0\.0\.1:\d+/);
  await expect(rows.filter({ hasNotText: /= \d+ from 127\.0\.0\.1:\d+/ })).toHaveCount(0);
  await page.getByLabel("Filter the calls").fill("");
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await expect(rows.last()).toContainText(/(recv|accept4)\(\d+( :\d+, 1024)?\)/);
});
