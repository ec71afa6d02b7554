// The program that runs: whether it is the text on screen, how it is run again, and which port it has.
import { createServer } from "node:net";
import type { Page } from "@playwright/test";
import { expect, labPort, openLesson, portIsFree, run, stop, test } from "./student.ts";

const edited = (page: Page) => page.getByRole("status").filter({ hasText: "edited since Run" });

async function types(page: Page, text: string) {
  await page.locator(".monaco-editor .view-lines").first().click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.type(text);
}

test("says that the text was edited since Run, and runs it again at one press", async ({ page, student }) => {
  await openLesson(page, student);
  await run(page);
  await expect(page.getByText(`listening on ${labPort}`).first()).toBeVisible();
  await expect(edited(page)).toHaveCount(0);
  await types(page, 'console.log("another text");\n');
  await expect(edited(page)).toBeVisible();
  // The text that runs, typed back, is the text that runs.
  for (const _ of 'console.log("another text");\n') await page.keyboard.press("Control+z");
  await page.locator(".monaco-editor .view-lines").first().click();
  await page.keyboard.press("Control+Home");
  await expect(edited(page)).toHaveCount(0);
  await types(page, 'console.log("another text");\n');
  await expect(edited(page)).toBeVisible();

  await page.getByRole("button", { name: "Run again", exact: true }).click();
  const output = page.getByRole("tabpanel", { name: "Output", exact: true });
  await expect(output).toContainText("another text");
  await expect(edited(page)).toHaveCount(0);

  // The key of Run does the same.
  await types(page, 'console.log("a third text");\n');
  await page.keyboard.press("Control+Enter");
  await expect(output).toContainText("a third text");
  await expect(edited(page)).toHaveCount(0);
  await stop(page);
  await portIsFree();
});

test("Run that becomes Stop moves no button, and no pane", async ({ page, student }) => {
  await openLesson(page, student);
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("workbook/net");
  const places = () =>
    page
      .locator(".bench-buttons > .button, .panes-bar, .panes-body, .tab:first-child")
      .evaluateAll(all => all.map(one => Object.values(one.getBoundingClientRect().toJSON()).join(" ")));
  for (const width of [1440, 1280, 1024, 390]) {
    await page.setViewportSize({ width, height: 800 });
    const open = page.locator(".open-lab");
    if ((await open.isVisible()) && (await page.locator(".sheet").isHidden())) await open.click();
    const before = await places();
    await run(page);
    await expect(page.getByText(`listening on ${labPort}`).first()).toBeVisible();
    expect(before.length).toBe(8);
    expect(await places(), `at ${width} px`).toEqual(before);
    await stop(page);
    await expect(page.getByRole("button", { name: "Run", exact: true })).toBeVisible();
    await portIsFree();
  }
});

test("the lesson's commands, addresses and words have the port of the run, and go back with the next", async ({
  page,
  student,
}) => {
  const holder = createServer(socket => socket.destroy());
  await new Promise<void>(resolve => holder.listen(labPort, "127.0.0.1", resolve));
  await openLesson(page, student);
  await page.getByRole("radio").first().check();
  const card = page.getByRole("region", { name: /^Lab: / });
  const prose = page.locator(".prose");
  await page.getByText("after half a second, in the next turn").click();
  await expect(card).toContainText(`port ${labPort}`);
  const command = prose.locator(".command").filter({ hasText: "/dev/tcp/127.0.0.1/" }).first();
  await expect(command).toContainText(`/dev/tcp/127.0.0.1/${labPort}`);

  await run(page);
  const other = page.getByRole("button", { name: /^Run on port \d+$/ });
  const port = /\d+/.exec((await other.textContent())!)![0];
  await other.click();
  await expect(page.getByText(`listening on ${port}`).first()).toBeVisible();
  await expect(card).toContainText(`port ${port}`);
  await expect(command).toContainText(`/dev/tcp/127.0.0.1/${port}`);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await command.getByRole("button", { name: "Copy the command" }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain(`/${port}`);
  await stop(page);

  await new Promise(resolve => holder.close(resolve));
  await run(page);
  await expect(page.getByText(`listening on ${labPort}`).first()).toBeVisible();
  await expect(command).toContainText(`/dev/tcp/127.0.0.1/${labPort}`);
  await expect(card).toContainText(`port ${labPort}`);
  await stop(page);
  await portIsFree();
});

test("Open outlines the lab that is beside the text already, also where nothing may move", async ({
  page,
  student,
}) => {
  await openLesson(page, student);
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("workbook/net");
  const outline = () =>
    page.locator("#workbench").evaluate(lab => getComputedStyle(lab, "::after").borderTopWidth);
  for (const reducedMotion of ["no-preference", "reduce"] as const) {
    await page.emulateMedia({ reducedMotion });
    expect(await outline()).toBe("0px");
    await page.getByRole("button", { name: "Open the lab" }).click();
    await expect(page.getByRole("region", { name: "The lab", exact: true })).toBeFocused();
    expect(await outline()).toBe("2px");
    await expect.poll(outline, "it is there for a moment").toBe("0px");
  }
});
