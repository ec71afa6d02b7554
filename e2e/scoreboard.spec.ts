// Scoreboard. One button makes the checks of several servers; what was made stays, also when the reader stops it.
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "./student.ts";

test("the table fills while the checks are made, and is there after a stop and a reload", async ({
  page,
  student,
}) => {
  await page.goto(student.link("/epoll/static-server"));
  const figure = page.locator("figure.scoreboard");
  await figure.getByRole("button", { name: "Compare the servers" }).press("Enter");
  const edited = figure.locator("[data-check=edited]");
  const own = edited.getByRole("cell").first();
  await expect(own).toHaveText(/passed/);
  await expect(figure.getByRole("status")).toHaveText(/server\.ts: \d+ of 27 checks made/);
  await expect(figure.getByRole("columnheader", { name: /nginx/ })).toBeVisible();
  await figure.getByRole("button", { name: "Stop" }).press("Enter");
  await expect(figure.getByRole("button", { name: "Compare again" })).toBeVisible();
  await expect(figure.getByRole("status")).toHaveText("It ended before all checks were made.");
  // With nginx or without it, its column says so.
  await expect(edited.getByRole("cell").last()).toHaveText(/not (made|installed)/);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page }).include("figure.scoreboard").analyze();
    expect(violations).toEqual([]);
  }
  // A lab server that was started again knows of no run: the page has kept the table.
  await student.endLabServer("SIGTERM");
  await student.startLabServer();
  await page.reload();
  await expect(own).toHaveText(/passed/);
  await expect(figure.getByRole("status")).toHaveText(/^Made on /);
});
