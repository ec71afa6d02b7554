// The real thing: a click on Run in the page, until the line can be seen in the terminal. All times are the page's own.
import { existsSync } from "node:fs";
import type { Browser, Page } from "@playwright/test";
import { onPath } from "./contestants.ts";
import type { LabServer } from "./lab-server.ts";

/** Milliseconds since the click. */
export interface Seen {
  /** The line is in the terminal's DOM. */
  inDom: number;
  /** The frame with it has been made: the first task after it. */
  painted: number;
  /** The next frame begins. */
  nextFrame: number;
}

/** A Chromium that is here already; null when there is none. */
export function chromium(): string | null {
  const named = process.env.WORKBOOK_CHROMIUM;
  if (named) return existsSync(named) ? named : null;
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  return names.map(onPath).find(path => path !== undefined) ?? null;
}

export class InChromium {
  readonly #browser: Browser;
  readonly #page: Page;

  private constructor(browser: Browser, page: Page) {
    this.#browser = browser;
    this.#page = page;
  }

  /** Opens the lab's lesson and waits until Run can be pressed. */
  static async open(executablePath: string, server: LabServer, lab: string): Promise<InChromium> {
    const { chromium } = await import("@playwright/test");
    const root = process.getuid!() === 0;
    const browser = await chromium.launch({ executablePath, args: root ? ["--no-sandbox"] : [] });
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.addInitScript(watch);
    await page.goto(server.link.href.replace("/#", `/${lab}#`));
    await page.locator('.bench-saved[data-saved="saved"]').waitFor();
    await page.locator(".monaco-editor").first().waitFor();
    return new InChromium(browser, page);
  }

  /** Presses Run, and waits for a line that was not there before. Resolves when the run has ended. */
  async firstLine(): Promise<Seen> {
    const page = this.#page;
    const seen = page.evaluate(() => (globalThis as unknown as { nextLine(): Promise<Seen> }).nextLine());
    const run = page.getByRole("button", { name: "Run", exact: true });
    await run.click();
    const times = await seen;
    await page.getByText(/exited with 0/).first().waitFor();
    await run.waitFor();
    return times;
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}

/** Runs in the page, before anything of it. It must not be costly: it is in what it measures. */
function watch(): void {
  // The page has a DOM, and this file's compiler knows none.
  const page = globalThis as any;
  let clicked = 0;
  let last = "";
  const isRun = (target: any) => target?.closest?.("button")?.firstChild?.textContent === "Run";
  page.document.addEventListener(
    "click",
    (event: any) => {
      if (isRun(event.target)) clicked = event.timeStamp;
    },
    true,
  );
  page.nextLine = () =>
    new Promise(resolve => {
      clicked = 0;
      const observer = new page.MutationObserver(() => {
        if (clicked === 0) return;
        const text = page.document.querySelector(".xterm-rows")?.textContent ?? "";
        const line = /first line (\d+ \d+)/.exec(text)?.[1];
        if (line === undefined || line === last) return;
        last = line;
        observer.disconnect();
        const inDom = performance.now() - clicked;
        let painted = 0;
        let nextFrame = 0;
        const done = () => {
          if (painted && nextFrame) resolve({ inDom, painted, nextFrame });
        };
        // xterm draws in a frame's callback, before the frame is made; a message is a task, and comes after it.
        const { port1, port2 } = new page.MessageChannel();
        port1.onmessage = () => {
          painted = performance.now() - clicked;
          done();
        };
        port2.postMessage(null);
        page.requestAnimationFrame(() => {
          nextFrame = performance.now() - clicked;
          done();
        });
      });
      observer.observe(page.document.body, { subtree: true, childList: true, characterData: true });
    });
}
