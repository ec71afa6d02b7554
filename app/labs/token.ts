// How the page comes by the token: in the fragment of the link that the terminal printed, from this tab's own
// session, or from another tab that has it. It is never in a query, a cookie or local storage: those travel.

/** What it needs of a browser tab; a test gives its own. */
export interface Tab {
  location: { hash: string; pathname: string; search: string };
  history: { replaceState(data: unknown, title: string, url: string): void };
  session: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  channel: Pick<BroadcastChannel, "postMessage" | "addEventListener"> | null;
  addEventListener(type: "hashchange", listener: () => void): void;
}

const key = "workbook.token";
type Word = { ask: true } | { token: string };

/** Asks for the token, keeps it, and gives it to other tabs that ask. */
export class Token {
  readonly #tab: Tab;
  readonly #wrong = new Set<string>();
  #listener: (token: string) => void = () => {};

  constructor(tab: Tab) {
    this.#tab = tab;
    this.#fromFragment();
    // The printed link opened in this very tab changes the fragment only: there is no new load.
    tab.addEventListener("hashchange", () => this.#fromFragment());
    tab.channel?.addEventListener("message", event => this.#hear((event as MessageEvent<Word>).data));
    if (!this.value) this.ask();
  }

  /** The token of this tab, or null while there is none. */
  get value(): string | null {
    return this.#tab.session.getItem(key);
  }

  /** Calls back with every token that comes later. */
  onToken(listener: (token: string) => void): void {
    this.#listener = listener;
  }

  /** This token was turned away: forget it, and ask the other tabs for a newer one. */
  reject(token: string): void {
    this.#wrong.add(token);
    if (this.value === token) this.#tab.session.removeItem(key);
    this.ask();
  }

  ask(): void {
    this.#tab.channel?.postMessage({ ask: true } satisfies Word);
  }

  #hear(word: Word): void {
    if ("token" in word) {
      if (!this.value) this.#take(word.token);
    } else if (this.value) {
      this.#tab.channel?.postMessage({ token: this.value } satisfies Word);
    }
  }

  #fromFragment(): void {
    const { hash, pathname, search } = this.#tab.location;
    const token = /^#t=([\w-]+)$/.exec(hash)?.[1];
    if (!token) return;
    this.#tab.history.replaceState(null, "", pathname + search);
    this.#wrong.delete(token);
    this.#take(token);
    this.#tab.channel?.postMessage({ token } satisfies Word);
  }

  #take(token: string): void {
    if (this.#wrong.has(token)) return;
    this.#tab.session.setItem(key, token);
    this.#listener(token);
  }
}
