// Anybody can use it: by eye in either theme and any width, by keyboard alone, by screen reader.
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, labPort, lesson, openLesson, portIsFree, test } from "./student.ts";

for (const colorScheme of ["light", "dark"] as const) {
  test(`nothing bars the way to contents and lesson, ${colorScheme}`, async ({ page, student }) => {
    await page.emulateMedia({ colorScheme });
    await page.goto(student.link());
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    expect(await barriers(page)).toEqual([]);
    await openLesson(page, student);
    await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("workbook/net");
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("tab", { name: "Checks", exact: true }).click();
    await expect(page.getByRole("tabpanel", { name: "Checks", exact: true })).toBeVisible();
    expect(await barriers(page)).toEqual([]);
  });
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`nothing bars the way to a program that is stepped, ${colorScheme}`, async ({ page, student }) => {
    await page.emulateMedia({ colorScheme });
    await openLesson(page, student);
    await page.getByRole("button", { name: "Run paused", exact: true }).click();
    const status = page.getByRole("toolbar", { name: "Pace of the program" }).getByRole("status");
    await expect(status).toContainText("paused before");
    await page.getByRole("tab", { name: "Syscalls", exact: true }).click();
    await page.keyboard.press("F10");
    await expect(status).toContainText("paused before setsockopt");
    await page.getByRole("button", { name: "ready", exact: true }).click();
    await expect(page.getByRole("treeitem")).toHaveCount(1);
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: "Breakpoints", exact: true }).click();
    await expect(page.getByLabel("Breakpoint: a call, an error, a descriptor")).toBeVisible();
    expect(await barriers(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await portIsFree();
  });
}

/** What axe finds, Monaco's own inside apart. */
async function barriers(page: Page) {
  const { violations } = await new AxeBuilder({ page }).exclude(".monaco-editor").analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.target.join(" ")).join(", ")}`);
}

test("runs, stops and checks by keyboard alone, and leaves the editor by Escape and Tab", async ({
  page,
  student,
}) => {
  await openLesson(page, student);
  const editor = page.locator(".monaco-editor textarea, .monaco-editor .native-edit-context").first();
  await editor.focus();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  await expect(editor).not.toBeFocused();
  const run = page.getByRole("button", { name: "Run", exact: true });
  const stop = page.getByRole("button", { name: "Stop", exact: true });
  await page.keyboard.press("Control+Enter");
  await expect(page.getByText(`listening on ${labPort}`).first()).toBeVisible();
  await page.keyboard.press("Shift+F8");
  await expect(run).toBeVisible();
  await portIsFree();
  for (const key of ["Enter", "Space"]) {
    await run.focus();
    await page.keyboard.press(key);
    await expect(stop, "one goes on from where one is").toBeFocused();
    await page.keyboard.press(key);
    await expect(run).toBeFocused();
    await portIsFree();
  }
  await page.getByRole("button", { name: "Run paused" }).focus();
  await page.keyboard.press("Enter");
  await expect(stop).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(run).toBeVisible();
  await portIsFree();
  await page.keyboard.press("Control+Shift+Enter");
  await expect(page.getByRole("tab", { name: "Checks", exact: true })).toHaveAttribute(
    "aria-selected",
    "true",
  );
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`a paused program, its clients and the kernel by keyboard alone, narrow and still, ${colorScheme}`, async ({
    page,
    student,
  }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width: 800, height: 900 });
    await openLesson(page, student);
    await page.getByRole("button", { name: "Open the lab" }).first().press("Enter");
    await page.getByRole("button", { name: "Run paused", exact: true }).press("Enter");
    const status = page.getByRole("toolbar", { name: "Pace of the program" }).getByRole("status");
    await expect(status).toContainText("paused before socket(");
    for (const call of ["setsockopt", "bind", "listen", "fcntl"]) {
      await page.keyboard.press("F10");
      await expect(status).toContainText(`paused before ${call}(`);
    }
    await page.getByRole("button", { name: "Clients", exact: true }).press("Enter");
    await expect(page.getByRole("menuitem", { name: "One GET" })).toBeFocused();
    // Sent at once: after half a second without a letter the menu forgets what was typed, and a space chooses an item.
    await Promise.all([..."A burst"].map(letter => page.keyboard.press(letter)));
    await expect(page.getByRole("menuitem", { name: "A burst of 50" })).toBeFocused();
    await page.keyboard.press("Enter");
    const clients = page.getByRole("tabpanel", { name: "Clients", exact: true });
    await expect(clients).toContainText("0 of 50 were answered; 50 still wait; the program is paused");
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("tab", { name: "Clients", exact: true }).press("ArrowLeft");
    await page.keyboard.press("Enter");
    const people = page.getByRole("listbox", { name: "Clients in the accept queue" });
    await people.press("ArrowRight");
    await expect(people.getByRole("option", { selected: true })).toHaveAccessibleName(
      /^:\d+ client \d+, 40 bytes sent already$/,
    );
    expect(await barriers(page)).toEqual([]);
    expect(await sideways(page)).toBe(0);
    await page.keyboard.press("Shift+F8");
    await portIsFree();
  });
}

test("on a narrow screen the lab opens as a sheet, and there is a way back", async ({ page, student }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await openLesson(page, student);
  await expect(page.getByRole("button", { name: "Run", exact: true })).toBeHidden();
  await page.getByRole("button", { name: "Open the lab" }).first().click();
  await expect(page.getByRole("button", { name: "Run", exact: true })).toBeVisible();
  expect(await sideways(page)).toBe(0);
  // As narrow as reflow is asked for: WCAG 2.2, 1.4.10.
  await page.setViewportSize({ width: 320, height: 844 });
  expect(await sideways(page)).toBe(0);
  await page.getByRole("button", { name: "Back to the text" }).click();
  await expect(page.getByRole("button", { name: "Run", exact: true })).toBeHidden();
  expect(await sideways(page)).toBe(0);
});

/** Pixels by which the page is wider than its window. */
function sideways(page: Page) {
  return page.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}

test("on a wide screen Syscalls stands beside Output", async ({ page, student }) => {
  await page.setViewportSize({ width: 1680, height: 1000 });
  await openLesson(page, student);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.getByText(`listening on ${labPort}`).first()).toBeVisible();
  await expect(page.getByRole("tabpanel", { name: "Output", exact: true })).toBeVisible();
  await expect(page.getByText("listen(").first()).toBeVisible();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await portIsFree();
});

test("an address that does not exist is said, with a way on", async ({ page, student }) => {
  await page.goto(student.link("/non-blocking/poling-model"));
  await expect(page.locator(`a[href="${lesson}"]`).first()).toBeVisible();
});
