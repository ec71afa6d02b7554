// The Kernel pane against the course's own server: who waits, what is inside, and of what nobody will be told.
import { connect, type Socket } from "node:net";
import { AxeBuilder } from "@axe-core/playwright";
import { holderOf } from "../server-labs/kernel/ports.ts";
import { expect, labPort as port, run, showPane, stop, test } from "./student.ts";

const clients: Socket[] = [];
test.afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

/** A client that has been let in by the kernel and has said this. */
function client(text: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text, () => resolve(socket)));
    socket.on("data", () => {});
    socket.once("error", reject);
    clients.push(socket);
  });
}

test("clients of a stopped server wait; woken, it takes one, and nobody tells it of the other 49", async ({
  page,
  student,
}) => {
  await page.goto(student.link("/epoll/static-server"));
  await page.getByRole("tab", { name: "Kernel" }).click();
  const kernel = page.getByRole("tabpanel", { name: "Kernel" });
  await expect(kernel).toContainText("Nothing runs.");
  await run(page);
  await showPane(page, "Kernel");
  const listener = kernel.getByRole("region", { name: /^Listener/ });
  await expect(listener).toContainText("no client waits, backlog 128");
  await expect(kernel).toContainText("asleep in epoll_wait(");
  const { pid } = (await holderOf(port))!;
  process.kill(pid, "SIGSTOP");
  await expect(kernel).toContainText("stopped by a signal");
  for (let i = 0; i < 50; i++) await client("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await expect(listener).toContainText("50 wait");
  await expect(listener).toContainText("on the ready list");
  const people = listener.getByRole("listbox");
  await people.focus();
  await page.keyboard.press("ArrowRight");
  await expect(listener).toContainText("27 bytes sent already");
  process.kill(pid, "SIGCONT");
  await expect(listener).toContainText("49 clients wait here. Edge-triggered:");
  await expect(kernel.getByRole("region", { name: /^Epoll/ })).toContainText(
    "1 descriptor has something inside",
  );
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page }).include(".kernel").analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
  }
  await stop(page);
});

test("what one recv leaves inside is seen, and where it came from is one key away", async ({
  page,
  student,
}) => {
  await page.goto(student.link("/epoll/static-server"));
  await run(page);
  await showPane(page, "Kernel");
  const kernel = page.getByRole("tabpanel", { name: "Kernel" });
  await expect(kernel).toContainText("No connection");
  await client(`GET / HTTP/1.1\r\n${"X".repeat(3000 - 20)}\r\n\r\n`);
  const card = kernel.getByRole("listitem");
  await expect(card).toContainText(
    "1,976 bytes wait here. Edge-triggered: epoll has reported them once and will not again until more arrive.",
  );
  await stop(page);
  await expect(kernel).toContainText("as it was when the program ended");
  await expect(card).toContainText("1,976 bytes");
  await card.getByRole("button").focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("tab", { name: "Syscalls" })).toHaveAttribute("aria-selected", "true");
});
