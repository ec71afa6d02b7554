// Why the course's edge-triggered server answers one client in fifty, as its lesson lets a student see it; and that a
// server which accepts all who wait answers fifty.
import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { expect, portIsFree, type Student, showPane, stop, test } from "./student.ts";

const solution = new URL("../chapters/02-epoll/09-static-server/lab/solution.ts", import.meta.url);
const lesson = "/epoll/static-server";

const pane = (page: Page, name: string) => page.getByRole("tabpanel", { name, exact: true });
const listener = (page: Page) => pane(page, "Kernel").getByRole("region", { name: /^Listener/ });
const epoll = (page: Page) => pane(page, "Kernel").getByRole("region", { name: /^Epoll/ });
const visit = (page: Page, title: string) =>
  pane(page, "Clients").locator(".visit").filter({ hasText: title });

const pausedBefore = (page: Page, call: string) =>
  expect(page.getByRole("toolbar", { name: "Pace of the program" }).getByRole("status")).toContainText(
    `paused before ${call}(`,
  );

/** F10, and the program has gone on to this call. */
async function nextCall(page: Page, call: string) {
  await page.keyboard.press("F10");
  await pausedBefore(page, call);
}

async function sends(page: Page, client: string) {
  await page.getByRole("button", { name: "Clients", exact: true }).click();
  await page.getByRole("menuitem", { name: client }).click();
}

/** Opens the lesson, runs the program paused, and goes on call by call to where it asks epoll for the first time. */
async function stepsToEpollWait(page: Page, student: Student) {
  await page.goto(student.link(lesson));
  await page.getByRole("button", { name: "Run paused", exact: true }).click();
  const status = page.getByRole("toolbar", { name: "Pace of the program" }).getByRole("status");
  await expect(status).toContainText("paused before");
  for (;;) {
    const before = (await status.textContent()) ?? "";
    if (before.includes("epoll_wait(")) return;
    await page.keyboard.press("F10");
    await expect(status).not.toHaveText(before);
    await expect(status).toContainText("paused before");
  }
}

test("the course's server: fifty wait, epoll tells once, one is let in, and nobody is told of the 49", async ({
  page,
  student,
}) => {
  await stepsToEpollWait(page, student);
  await sends(page, "A burst of 50");
  const burst = visit(page, "50 clients at once");
  await expect(burst).toContainText("50 clients sent their requests");
  await expect(burst).toContainText("0 of 50 were answered; 50 still wait; the program is paused");

  await showPane(page, "Kernel");
  await expect(listener(page)).toContainText("50 wait");
  await expect(listener(page)).toContainText("on the ready list");
  await expect(listener(page)).toContainText(/client \d+, 40 bytes sent already/);
  await nextCall(page, "accept4");
  await expect(listener(page)).toContainText("ready, but not on the ready list");
  await expect(epoll(page)).toContainText("1 descriptor has something inside and is not on it");
  await nextCall(page, "epoll_ctl");
  await expect(listener(page)).toContainText("49 wait");
  await nextCall(page, "epoll_wait");
  await expect(pane(page, "Kernel").getByRole("listitem")).toContainText(/client 1.*40.*on the ready list/s);

  await page.keyboard.press("F8");
  await expect(pane(page, "Kernel")).toContainText("asleep in epoll_wait(");
  await expect(listener(page)).toContainText("49 clients wait here. Edge-triggered:");
  await showPane(page, "Clients");
  await expect(burst).toContainText("1 of 50 was answered");
  const served = burst.locator(".step-client").filter({ hasText: /accept4/ });
  await expect(served).toHaveText([/^client 1.*accept4 = \d+.*recv = 40.*send = \d/]);

  // What is new lets in one more, and it is not the newcomer.
  await sends(page, "One GET");
  await expect(burst).toContainText("2 of 50 were answered");
  await expect(visit(page, "GET /").last()).toContainText("the client waits");
  await stop(page);
  await portIsFree();
});

test("a server that accepts all who wait: fifty of fifty", async ({ page, student }) => {
  student.writes(readFileSync(solution, "utf8"), lesson);
  await stepsToEpollWait(page, student);
  await sends(page, "A burst of 50");
  const burst = visit(page, "50 clients at once");
  await expect(burst).toContainText("50 clients sent their requests");
  await showPane(page, "Kernel");
  await expect(listener(page)).toContainText("50 wait");
  await page.keyboard.press("F8");
  await expect(listener(page)).toContainText("no client waits");
  await expect(epoll(page)).not.toContainText("something inside");
  await showPane(page, "Clients");
  await expect(burst).toContainText("50 of 50 were answered");
  await stop(page);
  await portIsFree();
});
