// In Chromium. The time from a click on Run in the page until the line can be seen in the terminal, on the page's clock.
import { existsSync } from "node:fs";
import type { Browser, Page } from "@playwright/test";
import { findOnPath } from "../lib/find-program.ts";
import type { LabServer } from "./lab-server.ts";

/**
 * How long the button is down, in milliseconds, as under a finger. With a press of no duration the frame that shows
 * it pressed is still being made when the click comes, and what is measured is that frame.
 */
const pressMs = 80;

/** Milliseconds since the click. */
export interface Seen {
  /** The line is in the terminal's DOM. */
  inDom: number;
  /** The frame with it has been made: the first task after it. */
  painted: number;
  /** The next frame begins. */
  nextFrame: number;
}

/** The path of an installed Chromium; null when Chromium is not installed. */
export function chromium(): string | null {
  const named = process.env.WORKBOOK_CHROMIUM;
  if (named) return existsSync(named) ? named : null;
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  return names.map(name => findOnPath(name)).find(path => path !== undefined) ?? null;
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
    const seen = page.evaluate(() => (globalThis as unknown as PageGlobals).nextLine());
    const run = page.getByRole("button", { name: "Run", exact: true });
    await run.click({ delay: pressMs });
    const times = await seen;
    await page
      .getByText(/exited with 0/)
      .first()
      .waitFor();
    await run.waitFor();
    return times;
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}

/** As much of a page's globals as is used below: this file's compiler knows no DOM. */
interface PageGlobals {
  document: {
    body: object;
    querySelector(selector: string): { textContent: string } | null;
    addEventListener(type: "click", listener: (event: Click) => void, capture: true): void;
  };
  MutationObserver: new (
    changed: () => void,
  ) => { observe(node: object, what: object): void; disconnect(): void };
  MessageChannel: new () => { port1: { onmessage: () => void }; port2: { postMessage(word: null): void } };
  requestAnimationFrame(callback: () => void): void;
  nextLine(): Promise<Seen>;
}

interface Click {
  timeStamp: number;
  target: { closest(selector: string): { firstChild: { textContent: string } | null } | null };
}

/** Runs in the page, before anything of it. It must not be costly: it is in what it measures. */
function watch(): void {
  const page = globalThis as unknown as PageGlobals;
  let clicked = 0;
  const lineShown = () =>
    /first line (\d+ \d+)/.exec(page.document.querySelector(".xterm-rows")?.textContent ?? "")?.[1];
  const onClick = ({ target, timeStamp }: Click) => {
    if (target.closest("[role=button]")?.firstChild?.textContent === "Run") clicked = timeStamp;
  };
  page.document.addEventListener("click", onClick, true);
  page.nextLine = () =>
    new Promise(resolve => {
      clicked = 0;
      const before = lineShown();
      const observer = new page.MutationObserver(() => {
        const line = clicked === 0 ? undefined : lineShown();
        if (line === undefined || line === before) return;
        observer.disconnect();
        const seen = { inDom: performance.now() - clicked, painted: 0, nextFrame: 0 };
        const at = (what: "painted" | "nextFrame") => () => {
          seen[what] = performance.now() - clicked;
          if (seen.painted > 0 && seen.nextFrame > 0) resolve(seen);
        };
        // xterm draws in a frame's callback, before the frame is made; a message is a task, and comes after it.
        const { port1, port2 } = new page.MessageChannel();
        port1.onmessage = at("painted");
        port2.postMessage(null);
        page.requestAnimationFrame(at("nextFrame"));
      });
      observer.observe(page.document.body, { subtree: true, childList: true, characterData: true });
    });
}
