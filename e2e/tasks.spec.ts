// The Tasks pane against a server on tasks: who is parked on what, the warnings, ten thousand tasks, and a step by task.
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, labPort as port, run, stop, test } from "./student.ts";

const lessonHere = "/epoll/static-server";
const echoes = readFileSync("server-labs/fixtures/echoes-on-tasks.ts", "utf8");
/** Many tasks that sleep, and one that runs for long while others are ready. */
const many = `import { run, nursery, sleep, pass } from "workbook/tasks";
function* long() {
  for (const until = performance.now() + 150; performance.now() < until; );
  yield* pass();
}
run(nursery(n => {
  n.spawn(long(), "long");
  for (let i = 1; i <= 10_000; i++) n.spawn(sleep(600_000), \`sleeper \${i}\`);
}));
`;

/** The tab comes with the program's first task. */
const tasksTab = (page: Page) => page.getByRole("tab", { name: /^Tasks/ });

const clients: Socket[] = [];
test.afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

/** A client whose words the server has sent back. */
function echoed(text: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.once("data", () => resolve(socket));
    socket.once("error", reject);
    clients.push(socket);
  });
}

test("the tasks of an echo server, what each waits for, a warning, and a step to a task's next step", async ({
  page,
  student,
}) => {
  student.writes(echoes, lessonHere);
  await page.goto(student.link(lessonHere));
  await expect(tasksTab(page)).toHaveCount(0);
  await run(page);
  await tasksTab(page).click();
  const tasks = page.getByRole("list", { name: "Tasks" });
  const row = (name: string) => tasks.getByRole("listitem").filter({ hasText: name });
  await expect(row("clock")).toContainText("a timer, in 10 min");
  const [one] = [await echoed("tea"), await echoed("milk")];
  await expect(row("client 1")).toContainText(/fd \d+ to be readable/);
  await expect(row("main")).toContainText("the listener");
  await row("client 2").getByRole("button", { name: "step" }).click();
  await expect(page.locator(".panes-bar")).toContainText("will pause at the next step of task");
  one!.write("more tea");
  await new Promise(resolve => one!.once("data", resolve));
  clients[1]!.write("sugar");
  await expect(row("client 2")).toContainText("running");
  await expect(page.locator(".panes-bar")).toContainText("paused before recv(");
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page }).include(".tasks").analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
  }
  await page.getByRole("tab", { name: "Kernel" }).click();
  await expect(page.getByRole("tabpanel", { name: "Kernel" })).toContainText("task client 1 waits");
  await tasksTab(page).click();
  await row("client 2").getByRole("button", { name: "client 2" }).click();
  const calls = page.getByRole("tree").getByRole("treeitem");
  await expect(calls.first()).toContainText("client 2");
  await stop(page);
});

test("ten thousand parked tasks are two hundred lines, and a line that counts the others", async ({
  page,
  student,
}) => {
  student.writes(many, lessonHere);
  await page.goto(student.link(lessonHere));
  await run(page);
  await tasksTab(page).click();
  const tasks = page.getByRole("list", { name: "Tasks" });
  await expect(tasks.getByRole("listitem")).toHaveCount(201);
  await expect(tasks.getByRole("listitem").last()).toContainText("9,801 more");
  await expect(tasks.getByRole("listitem").last()).toContainText("parked, each for a timer");
  await expect(page.getByRole("list", { name: "Warnings" })).toContainText(
    /Task "long" ran for \d+ ms without waiting, while 10,000 other tasks were ready and had to wait/,
  );
  await expect(tasksTab(page)).toContainText(/! \d/);
  await stop(page);
});
