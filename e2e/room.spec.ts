// Room. Two panes side by side, one pane alone, windows that are low or zoomed, and words that have less room than they need.
import type { Page } from "@playwright/test";
import { expect, labPort, openLesson, portIsFree, run, showPane, stop, test } from "./student.ts";

const panel = (page: Page, name: string) => page.getByRole("tabpanel", { name, exact: true });
const secondPane = (page: Page, name: string) => page.getByRole("region", { name, exact: true });

async function choosesSecond(page: Page, item: string) {
  await page.getByRole("button", { name: "Second pane" }).click();
  await page.getByRole("menuitemradio", { name: item }).click();
}

/** Prints twelve lines, then listens. */
const twelveLines = `import { SO_REUSEADDR, SOL_SOCKET, Socket } from "workbook/net";
for (let i = 1; i <= 12; i++) console.log("line", i, "of twelve");
const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ port: Number(process.argv[2]) });
listener.listen(8);
listener.accept();
`;

test("two panes stand side by side, as the reader chose, also after a reload", async ({ page, student }) => {
  await openLesson(page, student);
  await choosesSecond(page, "Kernel at the right");
  await expect(panel(page, "Output")).toBeVisible();
  await expect(secondPane(page, "Kernel")).toBeVisible();
  await page.reload();
  await expect(secondPane(page, "Kernel")).toBeVisible();
  await showPane(page, "Syscalls");
  await expect(secondPane(page, "Kernel")).toBeVisible();
  // The tab of the pane at the right makes the two change places.
  await showPane(page, "Kernel");
  await expect(panel(page, "Kernel")).toBeVisible();
  await expect(secondPane(page, "Syscalls")).toBeVisible();
  // Where two have no room there is one, and both again where they have.
  await page.setViewportSize({ width: 600, height: 800 });
  await page.locator(".open-lab").click();
  await expect(panel(page, "Kernel")).toBeVisible();
  await expect(secondPane(page, "Syscalls")).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Second pane" })).toHaveCount(0);
  await page.setViewportSize({ width: 1440, height: 900 });
  await expect(secondPane(page, "Syscalls")).toBeVisible();
  await choosesSecond(page, "One pane");
  await expect(secondPane(page, "Syscalls")).toHaveCount(0);
});

test("a key maximises the pane that has the focus, and gives the others their places back", async ({
  page,
  student,
}) => {
  await openLesson(page, student);
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("workbook/net");
  await choosesSecond(page, "Kernel at the right");
  const editor = page.locator(".editor");
  const height = async () => (await panel(page, "Output").boundingBox())!.height;
  const before = await height();
  await page.getByRole("tab", { name: "Output", exact: true }).focus();
  await page.keyboard.press("g");
  await page.keyboard.press("m");
  await expect(editor).toBeHidden();
  await expect(secondPane(page, "Kernel")).toHaveCount(0);
  expect(await height()).toBeGreaterThan(before + 200);
  await page.keyboard.press("g");
  await page.keyboard.press("m");
  await expect(editor).toBeVisible();
  await expect(secondPane(page, "Kernel")).toBeVisible();
  expect(await height()).toBe(before);
  // The editor was there all the time.
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("workbook/net");
});

test("who sends a client stays in the pane that shows what it does", async ({ page, student }) => {
  await openLesson(page, student);
  await run(page);
  await expect(page.getByText(`listening on ${labPort}`).first()).toBeVisible();
  await showPane(page, "Syscalls");
  await page.getByRole("button", { name: "Clients", exact: true }).click();
  await page.getByRole("menuitem", { name: "One GET" }).click();
  await expect(panel(page, "Syscalls")).toContainText("recv(");
  await expect(page.getByRole("tab", { name: "Clients" }).locator(".tab-count")).toHaveText("1");
  await expect(panel(page, "Syscalls")).toBeVisible();
  // Output does not show it.
  await showPane(page, "Output");
  await page.getByRole("button", { name: "Clients", exact: true }).click();
  await page.getByRole("menuitem", { name: "A silent client" }).click();
  await expect(panel(page, "Clients")).toBeVisible();
  await stop(page);
  await portIsFree();
});

test("of many failures the first is unfolded, and a check that is asked for shows its title", async ({
  page,
  student,
}) => {
  await openLesson(page, student);
  await page.getByRole("button", { name: "Check", exact: true }).click();
  const checks = panel(page, "Checks");
  await expect(checks.getByText(/\d+ of \d+ pass$/)).toBeVisible({ timeout: 60_000 });
  const failed = checks.locator('[data-state="failed"]');
  expect(await failed.count()).toBeGreaterThan(2);
  await expect(checks.locator("details[open]")).toHaveCount(1);
  await expect(failed.first().locator("details")).toHaveAttribute("open", "");
  // One that lies below, and one that lies above what is then in view.
  const asked = page.locator(".prose").getByTitle("Show this check");
  for (const word of [asked.last(), asked.first()]) {
    await word.click();
    const title = checks.locator("summary:focus");
    await expect(title).toBeVisible();
    const [head, it] = [(await checks.locator(".checks-head").boundingBox())!, (await title.boundingBox())!];
    expect(it.y, "below the head, which stays in view").toBeGreaterThanOrEqual(head.y + head.height - 1);
    expect(it.y + it.height).toBeLessThanOrEqual(
      (await checks.boundingBox())!.y + (await checks.boundingBox())!.height,
    );
  }
});

test("zoomed to 150, 200 and 400 %, and in a low window, every pane shows several lines", async ({
  page,
  student,
}) => {
  await page.setViewportSize({ width: 911, height: 433 });
  student.writes(twelveLines);
  await openLesson(page, student);
  await page.locator(".open-lab").click();
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("workbook/net");
  for (const [width, height] of [
    [911, 433],
    [720, 405],
    [360, 200],
    [1366, 420],
  ] as const) {
    const zoom = `${width} by ${height}`;
    await page.setViewportSize({ width, height });
    // From a sheet to a place beside the text the workbench is made anew.
    await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("workbook/net");
    await showPane(page, "Output");
    await page.keyboard.press("Control+Enter");
    await expect(panel(page, "Output")).toContainText("line 12 of twelve");
    await expect.poll(() => seen(page), `px of Output after Run, ${zoom}`).toBeGreaterThanOrEqual(85);
    for (const name of ["Output", "Syscalls", "Kernel", "Clients", "Checks"] as const) {
      await showPane(page, name);
      await expect.poll(() => inWindow(page, name), `px of ${name}, ${zoom}`).toBeGreaterThanOrEqual(100);
    }
    expect(await inWindow(page, "editor"), `px of the editor, ${zoom}`).toBeGreaterThanOrEqual(100);
    await stop(page);
    await expect(page.getByRole("button", { name: "Run", exact: true })).toBeVisible();
    await portIsFree();
  }
});

/** Pixels of Output's height that are in the window as it is. */
function seen(page: Page): Promise<number> {
  return panel(page, "Output").evaluate(element => {
    const { top, bottom } = element.getBoundingClientRect();
    return Math.min(bottom, innerHeight) - Math.max(top, 0);
  });
}

/** Pixels of a pane's height, or the editor's, that one can scroll into the window. */
function inWindow(page: Page, name: string): Promise<number> {
  const place = name === "editor" ? page.locator(".editor") : panel(page, name);
  return place.evaluate(element => {
    element.scrollIntoView({ block: "end" });
    const { top, bottom } = element.getBoundingClientRect();
    const bar = document.querySelector(".bar")!.getBoundingClientRect().bottom;
    return Math.min(bottom, innerHeight) - Math.max(top, bar);
  });
}

test("a sentence that is cut off in a bar can be read whole", async ({ page, student }) => {
  await page.setViewportSize({ width: 1280, height: 720 });
  await openLesson(page, student);
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("workbook/net");
  await student.endLabServer("SIGKILL");
  await expect(page.getByRole("button", { name: /lab server is away/ })).toBeVisible();
  await page.locator(".monaco-editor .view-lines").first().click();
  await page.keyboard.type("// not saved\n");
  const saved = page.locator(".bench-saved");
  await expect(saved).toContainText("not saved: ");
  const whole = (await saved.locator(".clipped-text").textContent())!;
  await saved.getByRole("button", { name: "Show all of it" }).click();
  await expect(page.locator(".clipped-whole")).toHaveText(whole);
  await expect(page.locator(".clipped-whole")).toBeInViewport({ ratio: 1 });
});

test("a line of code that is wider than the text has a shadow at its edge, until it is scrolled to", async ({
  page,
  student,
}) => {
  await page.setViewportSize({ width: 1100, height: 800 });
  await openLesson(page, student);
  // The signature on a call card breaks its lines.
  const wide = page.locator("pre.code:not(.call-card pre)").filter({ has: page.locator(".line") });
  await expect(wide.first()).toBeVisible();
  const widths = await wide.evaluateAll(all => all.map(one => one.scrollWidth - one.clientWidth));
  expect(Math.max(...widths), "a lesson has such a line").toBeGreaterThan(0);
  const shadow = await wide.first().evaluate(one => getComputedStyle(one).backgroundAttachment);
  expect(shadow).toBe("local, local, scroll, scroll");
});

test("F6 leads from the text to the lab, and back, and the first links skip to both", async ({
  page,
  student,
}) => {
  await openLesson(page, student);
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("workbook/net");
  const lab = page.getByRole("region", { name: "The lab", exact: true });
  await page.keyboard.press("F6");
  await expect(lab).toBeFocused();
  await page.locator(".monaco-editor .view-lines").first().click();
  await page.keyboard.press("F6");
  await expect(page.locator("#text")).toBeFocused();
  await page.getByRole("button", { name: "Skip to the lab" }).press("Enter");
  await expect(lab).toBeFocused();
});
