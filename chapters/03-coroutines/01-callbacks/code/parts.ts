// Parts of the three servers. A listener, lines out of bytes, and a number out of a line.
import { AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, Socket } from "workbook/net";

/** A socket that listens on this port of 127.0.0.1. */
export function listen(port: number): Socket {
  const listener = new Socket(AF_INET, SOCK_STREAM);
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(128);
  return listener;
}

/** Bytes come in pieces; lines go out whole, without their line feed. */
export class Lines {
  #text = "";

  push(bytes: Buffer): void {
    this.#text += bytes.toString("latin1");
  }

  /** The next line; null: it has not come whole. */
  next(): string | null {
    const end = this.#text.indexOf("\n");
    if (end === -1) return null;
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return line;
  }
}

// #region number
export function toNumber(line: string): number {
  if (!/^\d{1,3}$/.test(line)) throw new Error(`"${line}" is not a number of at most three digits`);
  return Number(line);
}
// #endregion number
