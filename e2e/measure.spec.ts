// Measurement. One button runs a program of the lab, and its points come over the book's.
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "./student.ts";

test("the reader's own points are drawn over the book's, and are in a table", async ({ page, student }) => {
  await page.goto(student.link("/epoll/multiplexing"));
  await page.locator("#cost").getByRole("radio").last().check();
  const figure = page.locator("figure.measure");
  await expect(figure.getByRole("img")).toHaveCount(2);
  await expect(figure.locator("circle")).toHaveCount(0);
  await figure.getByRole("button", { name: "Measure on this machine" }).press("Enter");
  // Two rows of three ways at least; the rest takes as long as the machine is busy.
  await expect.poll(() => figure.locator("circle").count(), { timeout: 30_000 }).toBeGreaterThanOrEqual(6);
  await figure.getByText("Show the numbers").click();
  await expect(figure.getByRole("row", { name: /by you 10, one is ready/ })).toContainText("µs");
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page }).include("figure.measure").analyze();
    expect(violations).toEqual([]);
  }
  await expect(figure.getByRole("button", { name: "Measure again" })).toBeVisible({ timeout: 120_000 });
});
