// Where a page gets its token from, and to whom it gives it: each tab here is one page, all in one browser.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { type Tab, Token } from "./token.ts";

let channels: Set<(event: { data: unknown }) => void>;
beforeEach(() => {
  channels = new Set();
});

interface FakeTab extends Tab {
  stored: Map<string, string>;
  open(hash: string): void;
}

/** A tab whose channel reaches the other tabs of the test, and not itself. */
function tab(hash = ""): FakeTab {
  const stored = new Map<string, string>();
  let own: (event: { data: unknown }) => void;
  let hashChanged = () => {};
  const location = { hash, pathname: "/epoll/epoll-model", search: "" };
  return {
    stored,
    location,
    history: {
      replaceState: () => {
        location.hash = "";
      },
    },
    session: {
      getItem: key => stored.get(key) ?? null,
      setItem: (key, value) => void stored.set(key, value),
      removeItem: key => void stored.delete(key),
    },
    channel: {
      postMessage: (data: unknown) => {
        for (const hear of channels) if (hear !== own) hear({ data });
      },
      addEventListener: (_type: string, listener: unknown) => {
        own = listener as typeof own;
        channels.add(own);
      },
    } as Tab["channel"],
    addEventListener: (_type, listener) => {
      hashChanged = listener;
    },
    open(newHash) {
      location.hash = newHash;
      hashChanged();
    },
  };
}

test("the fragment is taken, kept for this tab, and removed from the address", () => {
  const page = tab("#t=abc_DEF-123");
  assert.equal(new Token(page).value, "abc_DEF-123");
  assert.equal(page.location.hash, "");
});

test("a fragment that names a heading is left alone", () => {
  const page = tab("#three-calls");
  assert.equal(new Token(page).value, null);
  assert.equal(page.location.hash, "#three-calls");
});

test("a reload finds it in the tab's own session", () => {
  const page = tab("#t=abc");
  new Token(page);
  assert.equal(new Token({ ...page, location: { hash: "", pathname: "/", search: "" } }).value, "abc");
});

test("a second tab asks the first", () => {
  new Token(tab("#t=abc"));
  assert.equal(new Token(tab()).value, "abc");
});

test("a tab without one gets it as soon as another is opened with the link", () => {
  const waiting = new Token(tab());
  const told: string[] = [];
  waiting.onToken(token => told.push(token));
  new Token(tab("#t=abc"));
  assert.deepEqual(told, ["abc"]);
});

test("the link opened in this very tab is heard, though nothing is loaded", () => {
  const page = tab();
  const token = new Token(page);
  const told: string[] = [];
  token.onToken(value => told.push(value));
  page.open("#t=abc");
  assert.deepEqual(told, ["abc"]);
});

test("a token that was turned away is not taken back from another tab, but a newer one is", () => {
  const other = new Token(tab("#t=old"));
  const token = new Token(tab("#t=old"));
  token.reject("old");
  assert.equal(token.value, null);
  assert.equal(other.value, "old");
  new Token(tab("#t=new"));
  assert.equal(token.value, "new");
});
