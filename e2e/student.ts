// Student. A student's machine for a test: a private home folder, the real lab server started in it as the README says,
// a shell with curl, and the page. Every test has its own; nothing of it is left behind. Only the browser's cache is kept
// from test to test, as a student's browser keeps it: a page with the editor loads in half the time.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { type BrowserContext, test as base, chromium, expect, type Page } from "@playwright/test";
import type { PaneName } from "../app/workbench/panes.ts";

export const lesson = "/non-blocking/polling-model";
export const labPort = 7890;

export interface Student {
  home: string;
  /** The student's own file of the lab. */
  file: string;
  /** Writes it, or that of another lesson, with the student's own editor, as it were. */
  writes(text: string, lessonOf?: string): void;
  reads(): string;
  /** The link that `npm start` printed, for an address of the book. */
  link(address?: string): string;
  origin(): string;
  /** What a shell sends; the link has a ticket. */
  token(): string;
  /** Sends bytes to the student's server from a shell, waits for what the callback wants, closes. */
  curl(port?: number): Promise<void>;
  /** The test has ended the lab server once: what the page had not fetched by then cannot be fetched. */
  wasAway: boolean;
  startLabServer(): Promise<void>;
  /** Ends the lab server by this signal and waits for its end. */
  endLabServer(signal: NodeJS.Signals): Promise<void>;
}

interface ForEachTest {
  student: Student;
  problems: string[];
  workbook: string;
}

export const test = base.extend<ForEachTest, { browserProfile: BrowserContext }>({
  /** A browser with a profile on disk: no other keeps compiled code. */
  browserProfile: [
    async ({ launchOptions }, use) => {
      const folder = mkdtempSync(join(tmpdir(), "workbook-browser-"));
      const profile = await chromium.launchPersistentContext(folder, {
        ...launchOptions,
        viewport: { width: 1440, height: 900 },
      });
      await use(profile);
      await profile.close();
      rmSync(folder, { recursive: true, force: true });
    },
    { scope: "worker" },
  ],

  /** The profile, with nothing in it but the cache. */
  context: async ({ browserProfile }, use) => {
    const [first = await browserProfile.newPage()] = browserProfile.pages();
    await use(browserProfile);
    const origins = new Set(browserProfile.pages().flatMap(page => originsOf(page)));
    for (const page of browserProfile.pages()) if (page !== first) await page.close();
    await browserProfile.clearPermissions();
    const devtools = await browserProfile.newCDPSession(first);
    for (const origin of origins)
      await devtools.send("Storage.clearDataForOrigin", { origin, storageTypes: "all" });
    await devtools.detach();
  },

  /** Where the workbook was cloned to. */
  workbook: [process.cwd(), { option: true }],

  student: async ({ page: _page, workbook }, use) => {
    const home = mkdtempSync(join(tmpdir(), "workbook-student-"));
    let labServer: ChildProcess | undefined;
    let link = "";
    const file = join(home, "socket-workbook", lesson, "server.ts");

    const student: Student = {
      home,
      file,
      writes(text, lessonOf = lesson) {
        const its = join(home, "socket-workbook", lessonOf, "server.ts");
        mkdirSync(dirname(its), { recursive: true });
        writeFileSync(its, text);
      },
      reads: () => readFileSync(file, "utf8"),
      link: (address = "/") => link.replace("/#", `${address}#`),
      origin: () => new URL(link).origin,
      token: () => readFileSync(join(home, ".local/state/socket-workbook/token"), "utf8").trim(),
      curl: (port = labPort) =>
        new Promise((resolve, reject) => {
          const socket = connect(port, "127.0.0.1", () => {
            socket.end(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: curl/8\r\n\r\n`);
          });
          socket.on("data", () => {});
          socket.on("error", reject);
          socket.on("close", () => resolve());
        }),
      async startLabServer() {
        const child = spawn(process.execPath, ["dist/server-labs/main.js", "--no-open"], {
          cwd: workbook,
          env: { PATH: process.env.PATH, HOME: home, LANG: "C.UTF-8", CI: "true" },
          stdio: ["ignore", "pipe", "inherit"],
        });
        labServer = child;
        for await (const line of createInterface({ input: child.stdout })) {
          link = /http:\/\/\S+\/#t=\S+/.exec(line)?.[0] ?? "";
          if (link) break;
        }
        child.stdout.resume();
        if (!link) throw new Error(`The lab server ended with ${child.exitCode} before it printed its link.`);
      },
      wasAway: false,
      async endLabServer(signal) {
        student.wasAway = true;
        const child = labServer;
        if (!child || child.exitCode !== null || child.signalCode !== null) return;
        const ended = new Promise(resolve => child.once("exit", resolve));
        child.kill(signal);
        await ended;
      },
    };

    await student.startLabServer();
    await use(student);
    await student.endLabServer("SIGTERM");
    rmSync(home, { recursive: true, force: true });
  },

  /** What the page complained of; every test ends by looking that it is empty. */
  problems: [
    async ({ page, student }, use) => {
      const problems: string[] = [];
      page.on("pageerror", ({ message, stack }) => {
        // A worker that cannot be fetched says only "Event".
        if (student.wasAway && /Failed to fetch|^Event$/.test(message)) return;
        problems.push(`page error: ${message}\n${stack}`);
      });
      page.on("console", message => {
        if (/Content Security Policy/.test(message.text())) problems.push(message.text());
      });
      await use(problems);
      expect(problems, "errors and CSP violations in the page").toEqual([]);
    },
    { auto: true },
  ],
});

/** The origins whose data the page could have kept. */
function originsOf(page: Page): string[] {
  return page
    .frames()
    .map(frame => frame.url())
    .filter(url => url.startsWith("http"))
    .map(url => new URL(url).origin);
}

/** Opens the lesson by the printed link and waits until its text can be read. */
export async function openLesson(page: Page, student: Student) {
  await page.goto(student.link(lesson));
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
}

export async function run(page: Page) {
  await page.getByRole("button", { name: "Run", exact: true }).click();
}

export async function stop(page: Page) {
  await page.getByRole("button", { name: "Stop", exact: true }).click();
}

export async function showPane(page: Page, name: PaneName) {
  const tab = page.getByRole("tab", { name, exact: true });
  if (await tab.isVisible()) await tab.click();
}

/** The number of the line that the editor marks: of the latest call, or where the program waits. Null: none in view. */
export async function markedLine(page: Page, mark: "latest" | "waits"): Promise<number | null> {
  const margin = page.locator(`.margin-view-overlays > div:has(> .line-${mark}-gutter) .line-numbers`);
  const lines = await margin.allTextContents();
  return lines[0] === undefined ? null : Number(lines[0]);
}

/** A client that comes, says what it is told to say, and stays. */
export async function client(says = "", port = labPort) {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {}).on("data", () => {});
  await new Promise(resolve => socket.once("connect", resolve));
  if (says !== "") socket.write(says);
  return {
    port: socket.localPort!,
    say: (more: string) => socket.write(more),
    leave: () => socket.destroy(),
  };
}

/** Everything that the Output pane holds, also what has scrolled away: what "copy all" copies. */
export async function allOutput(page: Page): Promise<string> {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const output = page.getByRole("tabpanel", { name: "Output", exact: true });
  await output.hover();
  await output.getByRole("button", { name: "copy all" }).click();
  return page.evaluate(() => navigator.clipboard.readText());
}

/** Resolves when nobody listens on the port: the connection is refused. */
export async function portIsFree(port = labPort) {
  await expect
    .poll(
      () =>
        new Promise(resolve => {
          const socket = connect(port, "127.0.0.1", () => {
            socket.destroy();
            resolve("held");
          });
          socket.on("error", () => resolve("free"));
        }),
    )
    .toBe("free");
}

export { expect };
