// Several files of a lab in the page: made, typed across, run, marked where a run finds a mistake, removed; and a file
// whose line ends another editor has changed.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { expect, markedLine, openLesson, run, showPane, test } from "./student.ts";

const tab = (name: string) => ({ name, exact: true }) as const;

test("a module is made in the page, imported, run, corrected and removed, with the keyboard alone", async ({
  page,
  student,
}, info) => {
  await openLesson(page, student);
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("workbook/net");
  const greet = join(dirname(student.file), "greet.ts");

  await page.getByRole("button", { name: "New file" }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.type("greet");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("tab", tab("greet.ts"))).toHaveAttribute("aria-selected", "true");
  // The editor has the focus, and the file is empty.
  await expect(page.locator(".monaco-editor.focused")).toHaveCount(1);
  await expect(page.locator(".monaco-editor .line-numbers")).toHaveCount(1);
  await page.keyboard.type("export const greeting: string = 'hello from a module';\n");
  await expect.poll(() => readFileSync(greet, "utf8")).toContain("hello from a module");

  await page.getByRole("tab", tab("greet.ts")).focus();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("tab", tab("server.ts"))).toHaveAttribute("aria-selected", "true");
  await page.locator(".monaco-editor .view-lines").first().click();
  await page.keyboard.press("Control+A");
  await page.keyboard.type(
    'import { greeting } from "./greet.ts";\nconst n: number = greeting;\nconsole.log(n);\nsetInterval(() => {}, 1000);\n',
  );
  // Typed across files: a string is not a number.
  await expect(page.locator(".squiggly-error")).toHaveCount(1);
  await run(page);
  await expect(page.locator(".xterm-rows")).toContainText("hello from a module");
  expect((await new AxeBuilder({ page }).include(".bench-files").analyze()).violations).toEqual([]);
  await info.attach("tabs", { body: await page.screenshot(), contentType: "image/png" });

  // The program imports this file: what is typed into it does not run yet.
  await expect(page.getByText("edited since Run")).toHaveCount(0);
  await page.getByRole("tab", tab("greet.ts")).click();
  await page.locator(".monaco-editor .view-lines").first().click();
  await page.keyboard.type("// more\n");
  await expect(page.getByText("edited since Run")).toBeVisible();

  writeFileSync(greet, "export const greeting: string = 'a';\nexport const = 1;\n");
  await page.getByRole("button", { name: "Run again" }).click();
  // The file with the mistake is opened, and its line marked.
  await expect(page.getByRole("tab", { name: /greet\.ts/ })).toHaveAttribute("aria-selected", "true");
  await expect(
    page.getByText("greet.ts:2:14: Variable declaration expected. Nothing was run.").first(),
  ).toBeVisible();
  await expect(page.locator(".squiggly-error").first()).toBeVisible();

  await page.getByRole("tab", { name: /greet\.ts/ }).focus();
  await page.keyboard.press("Delete");
  await expect(page.getByText("greet.ts was removed; a copy is kept in .history.")).toBeVisible();
  await expect(page.getByRole("tab", { name: /greet\.ts/ })).toHaveCount(0);
  expect(existsSync(greet)).toBe(false);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("tab", { name: /greet\.ts/ })).toBeVisible();
  await expect.poll(() => existsSync(greet)).toBe(true);

  await page.getByRole("tab", { name: /greet\.ts/ }).focus();
  await page.keyboard.press("F2");
  await page.keyboard.type("hello");
  await page.keyboard.press("Enter");
  const renamed = page.getByText(
    'greet.ts is named hello.ts now, and its copies in .history, too. server.ts still names "./greet.ts": change it there.',
  );
  await expect(renamed).toBeVisible();
  await expect(page.getByRole("tab", tab("hello.ts"))).toBeFocused();
  expect(existsSync(greet)).toBe(false);
  // The next edit ends the notice.
  await page.locator(".monaco-editor .view-lines").first().click();
  await page.keyboard.type("// edited\n");
  await expect(renamed).toHaveCount(0);
});

test("a call that a module makes leads to its line there, and where the program waits is marked in that tab", async ({
  page,
  student,
}) => {
  // Of the programs that had the port before, connections may be in TIME-WAIT.
  const listen = `import { SO_REUSEADDR, Socket, SOL_SOCKET } from "workbook/net";
export function open(port: number): Socket {
  const socket = new Socket();
  socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  socket.bind({ host: "127.0.0.1", port });
  socket.listen(50);
  return socket;
}
`;
  mkdirSync(dirname(student.file), { recursive: true });
  writeFileSync(join(dirname(student.file), "listen.ts"), listen);
  student.writes(
    'import { open } from "./listen.ts";\n\nconst server = open(Number(process.argv[2]));\nserver.accept();\n',
  );
  await openLesson(page, student);
  await page.getByRole("button", { name: "Run paused", exact: true }).click();
  const opened = (name: string) =>
    expect(page.getByRole("tab", tab(name))).toHaveAttribute("aria-selected", "true");
  await opened("listen.ts");
  await expect.poll(() => markedLine(page, "waits")).toBe(3);
  await page.keyboard.press("F8");
  await opened("listen.ts");
  await page.getByRole("tab", tab("server.ts")).click();
  await expect.poll(() => markedLine(page, "latest")).toBe(4);

  await showPane(page, "Syscalls");
  const row = page.getByRole("treeitem").filter({ hasText: "listen(" });
  await expect(row).toContainText("listen.ts:6");
  await row.click();
  await opened("listen.ts");
  await expect(page.locator(".monaco-editor .line-numbers.active-line-number")).toHaveText("6");
  await expect(page.getByRole("treeitem").last()).toContainText(/asleep \d/);
  await page.getByRole("treeitem").last().click();
  await opened("server.ts");
});

test("a file that another editor saves with CRLF and a mark keeps both, its lines and the cursor", async ({
  page,
  student,
}) => {
  await openLesson(page, student);
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("workbook/net");
  student.writes("\ufeffconst a = 8;\r\nconsole.log(a);\r\n");
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("const a = 8;");
  await expect(page.locator(".monaco-editor .line-numbers")).toHaveCount(3);
  await page.locator(".monaco-editor .view-lines").first().click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("End");
  await page.keyboard.type(" // x");
  await expect.poll(() => student.reads()).toBe("\ufeffconst a = 8; // x\r\nconsole.log(a);\r\n");
  // Only the line ends change: the cursor stays, and the next key comes behind the last one.
  await expect(page.locator(".bench-saved")).toHaveAttribute("data-saved", "saved");
  const fetched = page.waitForResponse(
    answer => answer.url().endsWith("/files/server.ts") && answer.request().method() === "GET",
  );
  student.writes("const a = 8; // x\nconsole.log(a);\n");
  await (await fetched).finished();
  await expect(page.locator(".bench-saved")).toHaveAttribute("data-saved", "saved");
  await page.keyboard.type("y");
  await expect.poll(() => student.reads()).toBe("const a = 8; // xy\nconsole.log(a);\n");
});
