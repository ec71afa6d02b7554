// The plugin inside a real Vite: a build with a mistake fails and lists it; in development a change arrives as
// data, and after a mistake the page goes on with its last good state.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { build, createLogger, createServer, type ViteDevServer } from "vite";
import { here, lessonWith, type WrittenBook, writeBook } from "../../../server-labs/fixtures/book.ts";
import { lessons } from "./plugin.ts";

const file = "01-sockets/02-listen/lesson.md";

/** A page that only shows what the two virtual modules hold. */
function page(book: WrittenBook): string {
  const root = join(dirname(book.folder), "app");
  mkdirSync(root);
  writeFileSync(join(root, "index.html"), '<script type="module" src="./main.js"></script>');
  writeFileSync(
    join(root, "main.js"),
    'import { book, texts } from "virtual:book"; console.log(book, texts["sockets/listen"]());',
  );
  return root;
}

const options = (book: WrittenBook) => ({
  configFile: false as const,
  root: page(book),
  logLevel: "silent" as const,
  plugins: [lessons(book.folder)],
});

test("a build has the contents in the page and each lesson in a file of its own", async () => {
  using book = writeBook({ [file]: lessonWith("A sentence of the lesson.") });
  const result = await build({ ...options(book), build: { write: false } });
  assert.ok("output" in result);
  const chunks = result.output.flatMap(chunk => (chunk.type === "chunk" ? [chunk] : []));
  const entry = chunks.find(chunk => chunk.isEntry)!;
  const text = chunks.find(chunk => chunk.code.includes("A sentence of the lesson."));
  assert.match(entry.code, /Ends of connections\./, "the chapter's summary");
  assert.ok(text && !text.isEntry, "a lesson's text is fetched when it is opened");
});

test("a build with mistakes fails and lists all of them", async () => {
  using book = writeBook({ [file]: lessonWith(":::asied\nx\n:::\n\n:pane[Nowhere]") });
  await assert.rejects(build({ ...options(book), build: { write: false } }), (error: Error) => {
    assert.ok(error.message.includes(`${here}/lesson.md:8:1: There is no directive "asied".`), error.message);
    assert.ok(error.message.includes(`${here}/lesson.md:12:7: There is no pane "Nowhere".`), error.message);
    assert.ok(error.message.includes("2 mistakes in chapters/"), error.message);
    return true;
  });
});

test("a build warns that a lesson is still short, and does not fail", async () => {
  using book = writeBook({ [file]: lessonWith("A sentence.") });
  const warned: string[] = [];
  const customLogger = createLogger("silent");
  customLogger.warn = message => warned.push(message);
  await build({ ...options(book), customLogger, build: { write: false } });
  assert.ok(
    warned.some(message => message.includes(`${here}/lesson.md:1:1: This lesson has 2 words`)),
    warned.join("\n"),
  );
});

/** What the server says to pages, in order; `next` awaits the first message, from now on, that fits. */
function messagesOf(server: ViteDevServer) {
  const said: { type: string; event?: string; data?: unknown; err?: { message: string } }[] = [];
  const waiting: (() => void)[] = [];
  server.ws.send = ((...message: unknown[]) => {
    said.push(
      typeof message[0] === "string"
        ? { type: "custom", event: message[0], data: message[1] }
        : (message[0] as (typeof said)[number]),
    );
    for (const wake of waiting.splice(0)) wake();
  }) as ViteDevServer["ws"]["send"];
  return {
    said,
    async next(fits: (message: (typeof said)[number]) => boolean) {
      for (let i = 0; ; i++) {
        while (i >= said.length) await new Promise<void>(resolve => waiting.push(resolve));
        if (fits(said[i]!)) return said.splice(0, i + 1).at(-1)!;
      }
    },
  };
}

test("in development: a change as data, a mistake over the last good state, and its end", async () => {
  using book = writeBook({ [file]: lessonWith("The first text.") });
  // The test itself says what has changed: when a watcher notices is not for a test to wait for.
  const server = await createServer({
    ...options(book),
    server: { middlewareMode: true, watch: null, ws: false },
  });
  const change = (text: string) => {
    book.write(file, lessonWith(text));
    server.watcher.emit("all", "change", join(book.folder, file));
  };
  try {
    const messages = messagesOf(server);
    const isLesson = (m: { event?: string }) => m.event === "workbook:text";
    const isError = (m: { type: string }) => m.type === "error";
    const loaded = async () => (await server.transformRequest("virtual:lesson/sockets/listen"))!.code;
    assert.match(await loaded(), /The first text/);

    change("The second text.");
    const second = await messages.next(isLesson);
    assert.match(JSON.stringify(second.data), /The second text/);
    assert.match(await loaded(), /The second text/, "a page that is loaded now has it too");

    change("The third text, and :pane[Nowhere].");
    const mistake = await messages.next(isError);
    assert.match(mistake.err!.message, /lesson\.md:8:27: There is no pane "Nowhere"/);
    assert.match(await loaded(), /The second text/, "the last good state");

    change("The fourth text.");
    await messages.next(m => m.type === "update"); // takes the overlay away
    assert.match(JSON.stringify((await messages.next(isLesson)).data), /The fourth text/);
    assert.equal(
      messages.said.some(m => m.type === "full-reload"),
      false,
    );
  } finally {
    await server.close();
  }
});
