// Where a program has said that it listens: each place once, as an event and as a state; and, when it is gone, whether
// all of that is free again.
import type { Listener } from "./listeners.ts";
import { holderOf, listeningOn, untilFree } from "./ports.ts";
import type { Run } from "./run.ts";
import { listeningSentence } from "./sentences.ts";

/** A program that listens here and there without end; the first of them say enough. */
const mostListening = 64;
const freeMs = 1000;

export class Listening {
  readonly #run: Run;
  readonly #port: number;
  /** In order. */
  readonly places: { host: string; port: number }[] = [];
  /** "host:port" of each listening event. */
  readonly #said = new Set<string>();
  readonly #ports = new Set<number>();

  /** @param port the one that it was told to listen on */
  constructor(run: Run, port: number) {
    this.#run = run;
    this.#port = port;
  }

  /** It has called listen(2). @param pid the program's, to look up which port it got when it asked for any */
  async begins(listener: Listener, pid: number | null): Promise<void> {
    let { host, port } = listener;
    if (port === 0) {
      const found = pid ? await listeningOn(pid, listener.fd).catch(() => null) : null;
      if (!found) return;
      ({ host, port } = found);
    }
    const key = `${host}:${port}`;
    if (this.#run.log.ended || this.#said.has(key) || this.#said.size >= mostListening) return;
    this.#said.add(key);
    this.#ports.add(port);
    this.places.push({ host, port });
    this.#run.log.append({ type: "listening", host, port, url: urlOf(host, port) });
    this.#run.become("listening", listeningSentence([...this.#ports], this.#port));
  }

  /**
   * Its ports are free when it is gone; at level "plain" a process that escaped may still hold one.
   * @returns the end of a sentence that says so: "" when all are free
   */
  async heldStill(): Promise<string> {
    const ports = new Set([...this.#ports, ...(this.#port > 0 ? [this.#port] : [])]);
    if (await untilFree(ports, freeMs)) return "";
    for (const port of ports) {
      const holder = await holderOf(port);
      if (holder) return `; port ${port} is held by ${holder.command} (pid ${holder.pid})`;
    }
    return "";
  }
}

/** How this machine's browser and curl reach it. */
function urlOf(host: string, port: number): string {
  const reached = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reached.includes(":") ? `[${reached}]` : reached}:${port}/`;
}
