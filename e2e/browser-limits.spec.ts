// A browser that gives the page less than usual (no storage), or more than one tab.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Page } from "@playwright/test";
import { expect, labPort, openLesson, run, test } from "./student.ts";

/** Types at the beginning of the student's file. */
async function types(page: Page, text: string) {
  await page.locator(".monaco-editor .view-lines").first().click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.type(text);
}

/** The first line that the editor shows. */
async function firstLine(page: Page): Promise<string> {
  const lines = page.locator(".monaco-editor .view-line");
  // The editor's lines are in the order in which they were made.
  const first = await lines.evaluateAll(all => {
    const top = (line: Element) => line.getBoundingClientRect().top;
    return all.sort((a, b) => top(a) - top(b))[0]?.textContent ?? "";
  });
  return first.replaceAll("\u00a0", " ");
}

test("with all cookies blocked the lesson is read, and the lab is edited, saved and run", async ({
  page,
  student,
}) => {
  await page.addInitScript(() => {
    for (const name of ["localStorage", "sessionStorage", "indexedDB"])
      Object.defineProperty(window, name, {
        get() {
          throw new DOMException(`Failed to read '${name}': access is denied.`, "SecurityError");
        },
      });
  });
  await openLesson(page, student);
  await expect(page.getByText("This browser keeps nothing for this page")).toBeVisible();
  await types(page, "// kept by the lab server alone\n");
  await expect.poll(() => student.reads()).toContain("// kept by the lab server alone");
  await expect(page.locator(".bench-saved")).toHaveAttribute("data-saved", "saved");
  await run(page);
  await expect(page.getByText(`listening on ${labPort}`).first()).toBeVisible();
});

test("Chromium that blocks all cookies, as its own setting does it", async ({ student }) => {
  const profile = join(student.home, "chromium");
  mkdirSync(join(profile, "Default"), { recursive: true });
  const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
  writeFileSync(join(profile, "Default", "Preferences"), JSON.stringify(preferences));
  const { executablePath, args } = test.info().project.use.launchOptions!;
  const browser = await chromium.launchPersistentContext(profile, { executablePath, args });
  try {
    const page = await browser.newPage();
    await openLesson(page, student);
    expect(
      await page.evaluate(() => {
        try {
          return String(window.localStorage);
        } catch (error) {
          return (error as Error).name;
        }
      }),
    ).toBe("SecurityError");
    await expect(page.getByText("This browser keeps nothing for this page")).toBeVisible();
    const open = page.locator(".open-lab");
    if (await open.isVisible()) await open.click();
    await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("workbook/net");
    await run(page);
    await expect(page.getByText(`listening on ${labPort}`).first()).toBeVisible();
  } finally {
    await browser.close();
  }
});

test("a browser that keeps what it is given says nothing of that", async ({ page, student }) => {
  await openLesson(page, student);
  await expect(page.getByText("This browser keeps nothing for this page")).toHaveCount(0);
});

test("typing in two tabs loses nothing: each shows the other's text, or asks", async ({ page, student }) => {
  await openLesson(page, student);
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("workbook/net");
  const other = await page.context().newPage();
  await openLesson(other, student);
  await expect(other.locator(".monaco-editor .view-lines").first()).toContainText("workbook/net");

  // One after the other: the second tab shows what is typed in the first and types on from it.
  await types(page, "// first tab\n");
  await expect(other.locator(".monaco-editor .view-lines").first()).toContainText("// first tab");
  await types(other, "// second tab\n");
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("// second tab");
  await expect.poll(() => student.reads()).toMatch(/^\/\/ second tab\n\/\/ first tab\n/);

  // Both at once, at the end of the first line.
  const hands: [Page, string][] = [
    [page, "§".repeat(30)],
    [other, "¤".repeat(30)],
  ];
  for (const [tab] of hands) {
    await tab.locator(".monaco-editor .view-lines").first().click();
    await tab.keyboard.press("Control+Home");
    await tab.keyboard.press("End");
  }
  await Promise.all(hands.map(([tab, marks]) => tab.keyboard.type(marks, { delay: 30 })));
  for (const [tab] of hands)
    await expect(tab.locator(".bench-saved")).toHaveAttribute("data-saved", /^(saved|conflict)$/);
  const firstLines = [student.reads().split("\n", 1)[0]!, await firstLine(page), await firstLine(other)];
  for (const [, marks] of hands)
    expect(
      firstLines.some(line => line.split(marks[0]!).length > 30),
      firstLines.join("\n"),
    ).toBe(true);

  // Where the student is asked, the answer ends it: both tabs then show what the file has.
  const keeps = hands.map(([tab]) => tab.getByRole("button", { name: "Keep mine" }));
  for (const keep of keeps) if (await keep.isVisible()) await keep.click();
  for (const [tab] of hands) {
    await expect(tab.locator(".bench-saved")).toHaveAttribute("data-saved", "saved");
    await expect.poll(() => firstLine(tab)).toBe(student.reads().split("\n", 1)[0]);
  }
});
