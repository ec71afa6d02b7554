// The editor knows the student's tools: their types, their words, their man pages, and what cannot be erased.
import { expect, openLesson, test } from "./student.ts";

test("a correct file has no red wave, a wrong one has", async ({ page, student }) => {
  student.writes(
    'import { Socket } from "workbook/net";\nconst socket = new Socket();\nsocket.listenn(1);\n',
  );
  await openLesson(page, student);
  await expect(page.locator(".squiggly-error")).toHaveCount(1, { timeout: 90_000 });
  student.writes(
    'import { Socket } from "workbook/net";\nimport { readFileSync } from "node:fs";\n' +
      "const socket = new Socket();\nsocket.listen(1);\n" +
      'console.log(process.argv[2], Buffer.from("x"), readFileSync("/etc/hosts"));\n',
  );
  await expect(page.locator(".squiggly-error")).toHaveCount(0, { timeout: 90_000 });
});

test("hover shows the doc comment with its man page; completion knows the members", async ({
  page,
  student,
}) => {
  student.writes(
    'import { Socket } from "workbook/net";\nconst socket = new Socket();\nsocket.listen(1);\nsocket\n',
  );
  await openLesson(page, student);
  await page.locator(".monaco-editor .view-lines").first().click();
  await page.keyboard.press("Control+Home");
  for (const key of ["ArrowDown", "ArrowDown", "End", "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft"]) {
    await page.keyboard.press(key);
  }
  // Asked before the types have come, the editor has nothing to say, and does not say it later by itself.
  await expect(async () => {
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+k");
    await page.keyboard.press("Control+i");
    await expect(page.locator(".monaco-hover-content").first()).toContainText("listen(2)", {
      timeout: 2_000,
    });
  }).toPass({ timeout: 40_000 });
  await page.keyboard.press("Escape");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("End");
  await page.keyboard.type(".setBl");
  await expect(page.locator(".suggest-widget")).toContainText("setBlocking", { timeout: 90_000 });
});

test("a name of workbook/net that is not imported is completed, and imported", async ({ page, student }) => {
  student.writes(
    'import { Socket } from "workbook/net";\nconst socket = new Socket();\nsocket.setOption(1, \n',
  );
  await openLesson(page, student);
  const text = page.locator(".monaco-editor .view-lines").first();
  await text.click();
  await page.keyboard.press("Control+Home");
  for (const key of ["ArrowDown", "ArrowDown", "End"]) await page.keyboard.press(key);
  await page.keyboard.type("SO_");
  await expect(page.locator(".suggest-widget")).toContainText("SO_REUSEADDR", { timeout: 30_000 });
  await page.keyboard.type("REUSEA");
  await page.keyboard.press("Enter");
  await expect(text).toContainText("SO_REUSEADDR, Socket", { timeout: 30_000 });
  await expect
    .poll(() => student.reads())
    .toBe(
      'import { SO_REUSEADDR, Socket } from "workbook/net";\nconst socket = new Socket();\nsocket.setOption(1, SO_REUSEADDR\n',
    );
});

test("TypeScript that cannot be erased is explained before it is run", async ({ page, student }) => {
  student.writes("export enum State {\n  Ready,\n}\n");
  await openLesson(page, student);
  await expect(page.locator(".squiggly-error").first()).toBeVisible({ timeout: 90_000 });
});
