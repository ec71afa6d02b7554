// Clients in reach: sent from the menu and the form, by keyboard and mouse, and shown beside the server's own calls.
import { AxeBuilder } from "@axe-core/playwright";
import { expect, openLesson, run, stop, test } from "./student.ts";

/** Answers whoever speaks, the first of a burst only once: an edge-triggered listener that is asked once an edge. */
const oneAnEdge = `
import { EPOLLET, EPOLLIN, Epoll, SO_REUSEADDR, SOL_SOCKET, Socket } from "workbook/net";
const listener = new Socket();
// Without it the port is nobody's for a minute: this server closes first, and its ends of the connections linger.
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ port: Number(process.argv[2]) });
listener.listen(128);
const epoll = new Epoll();
epoll.register(listener, EPOLLIN | EPOLLET);
const clients = new Map<number, Socket>();
console.log("pid", process.pid);
for (;;) {
  for (const { fd } of epoll.poll()) {
    if (fd === listener.fd) {
      const { client } = listener.accept()!;
      clients.set(client.fd, client);
      epoll.register(client, EPOLLIN);
    } else if (clients.get(fd)!.recv(1024)!.length > 0) {
      clients.get(fd)!.send("HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok");
    } else {
      epoll.unregister(fd);
      clients.get(fd)!.close();
    }
  }
}
`;

test("clients come at a click, and what they do stands beside the server's calls", async ({
  page,
  student,
}) => {
  student.writes(oneAnEdge);
  await openLesson(page, student);
  const clients = page.getByRole("button", { name: "Clients", exact: true });
  await clients.click();
  await expect(page.getByText("Press Run first")).toBeVisible();
  await page.keyboard.press("Escape");
  await run(page);
  await expect(page.getByText("listening on 7890").first()).toBeVisible();

  // By keyboard alone.
  await clients.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("menuitem", { name: "One GET" })).toBeFocused();
  await page.keyboard.press("Enter");
  const visits = page.locator(".visit");
  await expect(visits.first()).toContainText("answered 200 after");
  const timeline = visits.first().locator(".timeline");
  await expect(timeline).toContainText("sent 40 bytes");
  await expect(timeline).toContainText("recv(");
  await expect(timeline).toContainText("accept4(");

  await page.getByLabel("Client", { exact: true }).selectOption("silent");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(visits.nth(1)).toContainText("connected, and says nothing");
  await visits.nth(1).getByRole("button", { name: "Leave" }).click();
  await expect(visits.nth(1)).toContainText("left; it was silent for");

  await page.getByLabel("Client", { exact: true }).selectOption("raw");
  const box = page.getByRole("textbox", { name: /bytes/ });
  await box.fill("GET /\\q");
  await expect(page.getByText("at line 1, column 6: there is no \\q")).toBeVisible();
  await expect(page.getByRole("button", { name: "Send" })).toBeDisabled();
  await box.fill("hello\\r\\n");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(visits.nth(2)).toContainText("answered 200");
  const { violations } = await new AxeBuilder({ page }).include(".panes").analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes.map(node => node.html)])).toEqual([]);

  await page.reload();
  await page.getByRole("tab", { name: "Clients" }).click();
  await expect(visits).toHaveCount(3);
  await stop(page);
  await expect(page.getByText("The run has ended, and its visits with it")).toBeVisible();
  await expect(visits.nth(2)).toContainText(/ended with the run|the server has closed|is broken/);
});
