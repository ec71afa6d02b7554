// Key ring. The keys of this tab: the ticket in the fragment of the printed link, and the page's own, from session storage
// or another tab. A key is never in a query, a cookie or local storage, which travel further than this tab, and it is sent
// to no program (handshake.ts).
import { type PageKey, ticketId } from "../../server-labs/protocol.ts";
import type { Channel, TextStorage } from "../storage.ts";

/** What it needs of a browser tab; a test gives its own. */
export interface Tab {
  location: { hash: string; pathname: string; search: string };
  history: { replaceState(data: unknown, title: string, url: string): void };
  session: TextStorage;
  channel: Channel | null;
  addEventListener(type: "hashchange", listener: () => void): void;
}

const storedAs = { ticket: "workbook.ticket", own: "workbook.key" };
type Word = { ask: true } | { key: PageKey };

/** Asks for a key, keeps it, and gives it to other tabs that ask. */
export class KeyRing {
  readonly #tab: Tab;
  readonly #unproven = new Set<string>();
  #listener: () => void = () => {};

  constructor(tab: Tab) {
    this.#tab = tab;
    this.#fromFragment();
    // The printed link opened in this very tab changes the fragment only: there is no new load.
    tab.addEventListener("hashchange", () => this.#fromFragment());
    tab.channel?.addEventListener("message", event => this.#onWord((event as MessageEvent<Word>).data));
    if (this.keys.length === 0) this.#ask();
  }

  /** The keys of this tab, the one to be tried first in front. */
  get keys(): PageKey[] {
    return [this.#read(storedAs.ticket), this.#read(storedAs.own)].filter(key => key !== null);
  }

  /** Calls back with every key that comes later from a link or another tab. */
  onKey(listener: () => void): void {
    this.#listener = listener;
  }

  /** Keeps the page's own key, in the ticket's place. */
  keep(key: PageKey): void {
    this.#tab.session.set(storedAs.own, JSON.stringify(key));
    this.#tab.session.remove(storedAs.ticket);
    this.#send({ key });
  }

  /**
   * The program that answers does not know this key: other tabs may have a newer one. A ticket is forgotten. The page's
   * own key is kept, because the program may not be the lab server, which comes back.
   */
  reject(key: PageKey): void {
    this.#unproven.add(key.key);
    if (key.id === ticketId) this.#tab.session.remove(storedAs.ticket);
    this.#ask();
  }

  #ask(): void {
    this.#send({ ask: true });
  }

  #send(word: Word): void {
    this.#tab.channel?.postMessage(word);
  }

  #onWord(word: Word): void {
    const first = this.keys[0];
    if ("ask" in word) {
      if (first && !this.#unproven.has(first.key)) this.#send({ key: first });
    } else if (!this.#unproven.has(word.key.key) && (!first || this.#unproven.has(first.key))) {
      this.#write(word.key);
      this.#listener();
    }
  }

  #fromFragment(): void {
    const { hash, pathname, search } = this.#tab.location;
    const ticket = /^#t=([\w-]+)$/.exec(hash)?.[1];
    if (!ticket) return;
    this.#tab.history.replaceState(null, "", pathname + search);
    const key = { id: ticketId, key: ticket };
    this.#unproven.delete(ticket);
    this.#write(key);
    this.#listener();
    this.#send({ key });
  }

  #write(key: PageKey): void {
    this.#tab.session.set(key.id === ticketId ? storedAs.ticket : storedAs.own, JSON.stringify(key));
  }

  #read(name: string): PageKey | null {
    try {
      const key = JSON.parse(this.#tab.session.get(name) ?? "null") as PageKey | null;
      return typeof key?.id === "string" && typeof key.key === "string" ? key : null;
    } catch {
      return null;
    }
  }
}
