// Where a page gets its keys from, and to whom it gives it: each tab here is one page, all in one browser.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { type FakeTab, fakeTab } from "./fixtures/tab.ts";
import { KeyRing, type Tab } from "./key-ring.ts";

let channels: Set<(event: { data: unknown }) => void>;
beforeEach(() => {
  channels = new Set();
});

/** A tab whose channel reaches the other tabs of the test, and not itself. */
function tab(hash = ""): FakeTab {
  let own: (event: { data: unknown }) => void;
  const one = fakeTab(hash);
  one.location.pathname = "/epoll/epoll-model";
  return Object.assign(one, {
    channel: {
      postMessage: (data: unknown) => {
        for (const hear of channels) if (hear !== own) hear({ data });
      },
      addEventListener: (_type: string, listener: unknown) => {
        own = listener as typeof own;
        channels.add(own);
      },
    } as Tab["channel"],
  });
}

const ticket = (key: string) => ({ id: "ticket", key });
const own = { id: "20787", key: "the-page's-own" };

test("the ticket is taken from the fragment, kept for this tab, and removed from the address", () => {
  const page = tab("#t=abc_DEF-123");
  assert.deepEqual(new KeyRing(page).keys, [ticket("abc_DEF-123")]);
  assert.equal(page.location.hash, "");
});

test("a fragment that names a heading is left alone", () => {
  const page = tab("#three-calls");
  assert.deepEqual(new KeyRing(page).keys, []);
  assert.equal(page.location.hash, "#three-calls");
});

test("the page's own key takes the ticket's place, and a reload finds it in the tab's own session", () => {
  const page = tab("#t=abc");
  new KeyRing(page).keep(own);
  const reloaded = new KeyRing({ ...page, location: { hash: "", pathname: "/", search: "" } });
  assert.deepEqual(reloaded.keys, [own]);
  assert.ok(![...page.stored.values()].some(text => text.includes("abc")));
});

test("what an earlier version of the page stored, or a text that is not a key, is no key", () => {
  for (const text of ["a-token", "{}", "null", '{"id":1,"key":"x"}']) {
    const page = tab();
    page.stored.set("workbook.key", text);
    assert.deepEqual(new KeyRing(page).keys, []);
  }
});

test("a second tab asks the first", () => {
  new KeyRing(tab("#t=abc")).keep(own);
  assert.deepEqual(new KeyRing(tab()).keys, [own]);
});

test("a tab without a key gets one as soon as another is opened with the link", () => {
  const waiting = new KeyRing(tab());
  let told = 0;
  waiting.onKey(() => told++);
  new KeyRing(tab("#t=abc"));
  assert.deepEqual(waiting.keys, [ticket("abc")]);
  assert.equal(told, 1);
});

test("the link opened in this very tab is heard, though nothing is loaded, and is tried before the tab's own key", () => {
  const page = tab();
  const ring = new KeyRing(page);
  ring.keep(own);
  let told = 0;
  ring.onKey(() => told++);
  page.open("#t=abc");
  assert.deepEqual(ring.keys, [ticket("abc"), own]);
  assert.equal(told, 1);
});

test("an old ticket is forgotten; the tab's own key is not, because the lab server may come back", () => {
  const page = tab();
  const ring = new KeyRing(page);
  ring.keep(own);
  page.open("#t=old");
  ring.reject(ticket("old"));
  ring.reject(own);
  assert.deepEqual(ring.keys, [own]);
});

test("a key that was not proven is not taken back from another tab, nor given to one, but a newer one is", () => {
  const other = new KeyRing(tab("#t=old"));
  const ring = new KeyRing(tab("#t=old"));
  ring.reject(ticket("old"));
  assert.deepEqual(ring.keys, []);
  assert.deepEqual(other.keys, [ticket("old")]);
  new KeyRing(tab("#t=new"));
  assert.deepEqual(ring.keys, [ticket("new")]);
});

test("a tab whose own key was not proven takes the ticket of a newer link from another tab", () => {
  const ring = new KeyRing(tab());
  ring.keep(own);
  ring.reject(own);
  new KeyRing(tab("#t=new"));
  assert.deepEqual(ring.keys, [ticket("new"), own]);
});
