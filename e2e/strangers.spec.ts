// Other web pages must not reach the lab server, neither from another port of this machine nor by a name that
// an attacker's DNS points at it. (Threats S1–S7; the HTTP side of the gate has its own table.)
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { chromium } from "@playwright/test";
import { expect, lesson, openLesson, test } from "./student.ts";

test("a page on another port can neither start a run nor open the socket", async ({ page, student }) => {
  await openLesson(page, student);
  const stranger = createServer((_request, response) => {
    response.setHeader("Content-Type", "text/html").end("<!doctype html><title>stranger</title>");
  });
  await new Promise<void>(resolve => stranger.listen(0, "127.0.0.1", resolve));
  try {
    const elsewhere = await page.context().newPage();
    await elsewhere.goto(`http://127.0.0.1:${(stranger.address() as AddressInfo).port}/`);
    const outcome = await elsewhere.evaluate(
      async ({ origin, lab }) => {
        const attempt = (promise: Promise<unknown>) => promise.then(String, () => "refused");
        const url = `${origin}/api/labs${lab}/run`;
        const post = await attempt(fetch(url, { method: "POST", body: "{}" }).then(r => r.status));
        const simple = await attempt(
          fetch(url, { method: "POST", mode: "no-cors", body: "{}" }).then(() => "sent"),
        );
        const socket = await new Promise(resolve => {
          const ws = new WebSocket(`${origin.replace("http", "ws")}/ws`, ["lab.v1"]);
          ws.onopen = () => resolve("open");
          ws.onerror = () => resolve("refused");
        });
        return { post, simple, socket };
      },
      { origin: student.origin(), lab: lesson },
    );
    expect(outcome.post).toBe("refused");
    expect(outcome.socket).toBe("refused");
    const labs = await page.request.get(`${student.origin()}/api/labs`, {
      headers: { Authorization: `Bearer ${student.token()}` },
    });
    const { labs: list } = (await labs.json()) as { labs: { program: unknown }[] };
    expect(list.map(lab => lab.program)).toEqual(list.map(() => null));
  } finally {
    stranger.close();
  }
});

test("a name that points here is not let in", async ({ student }) => {
  const browser = await chromium.launch({
    executablePath: process.env.WORKBOOK_CHROMIUM || undefined,
    args: [
      "--host-resolver-rules=MAP evil.test 127.0.0.1",
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    ],
  });
  try {
    const page = await browser.newPage();
    const answer = await page.goto(`http://evil.test:${new URL(student.origin()).port}/`);
    expect(answer?.status()).toBe(421);
  } finally {
    await browser.close();
  }
});
