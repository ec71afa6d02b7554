// Drift. Whether the memory or the call stack of a server grows with the number of the clients that have left. What is
// measured has no garbage in it, and so a few hundred clients show what a client leaves behind.
import { Client, throttle } from "../../clients.ts";
import { count, grouped } from "../../protocol.ts";
import type { MemoryUse } from "../memory-meter.ts";
import { MachineBusy } from "../outcome.ts";
import type { ConversationTools } from "./conversation.ts";
import type { Broken } from "./hearing.ts";

/** A server may still compile its functions: 40 to 60 KB were measured in a first step, and less in each later one. */
const slackBytes = 32 * 1024;
/** Less than a request and its answer: a server that keeps either is seen. */
const bytesPerClient = 256;
/** Of so many clients, one has left a function call behind that has not returned. */
const clientsPerFrame = 2;
const fewFrames = 20;
/** A server that polls makes a system call within so many milliseconds; one that sleeps is woken by a client then. */
const turnMs = 30;
/** A program that has had so much time of its own, and has not answered, cannot be asked: milliseconds. */
const answerMs = 3000;
const mostMs = 30_000;
/** So often a program is asked that does not answer: without a second value nothing can be said of a growth. */
const mostTries = 3;

interface Point extends MemoryUse {
  /** Clients so far, all of which have left. */
  clients: number;
}

export class Drift {
  readonly #around: ConversationTools;
  readonly #points: Point[] = [];

  constructor(around: ConversationTools) {
    this.#around = around;
  }

  /**
   * Measures, while no client is connected; `clients` have left so far. A program that cannot be asked is not judged.
   * @throws MachineBusy when a program that can be asked has not answered
   */
  async measure(clients: number): Promise<void> {
    const isFirst = this.#points.length === 0;
    await this.#measureOnce(clients);
    if (!isFirst) return;
    // The first collection of garbage leaves up to 200 KB that the next one frees: a growth behind it would not be seen.
    await this.#measureOnce(clients);
    if (this.#points.length === 2)
      this.#points.splice(this.#points[0]!.bytes < this.#points[1]!.bytes ? 1 : 0, 1);
  }

  async #measureOnce(clients: number): Promise<void> {
    const { server, poller } = this.#around;
    for (let tries = 0; tries < mostTries; tries++) {
      const answer = server.askMemoryUse();
      if (answer === null) return;
      const use = (await poller.until(answer, turnMs)) ?? (await this.#wake(answer));
      if (use !== null) {
        this.#points.push({ clients, ...use });
        return;
      }
      // A process that only waits for its workers makes no call of its own.
      if (server.hasWorkers) return;
    }
    throw new MachineBusy("the memory that the server uses");
  }

  /** What has grown in each step so far: one growth may have another cause. @returns null when nothing has */
  get growth(): Broken | null {
    const steps = this.#points.slice(1).map((point, i) => [this.#points[i]!, point] as const);
    if (steps.length === 0) return null;
    const [first, last] = [this.#points[0]!, this.#points.at(-1)!];
    const clients = last.clients - first.clients;
    const left = `While ${grouped(clients)} clients came and left`;
    if (steps.every(([one, next]) => next.frames - one.frames > most(next, one).frames))
      return {
        client: null,
        isOfMany: true,
        summary: `${left}, the call stack of the server grew by ${count(last.frames - first.frames, "function call")} that did not return.`,
        because:
          "A function that calls itself for the next client never returns, and after some thousand clients the stack is full. Serve clients in a loop.",
      };
    if (steps.every(([one, next]) => next.bytes - one.bytes > most(next, one).bytes)) {
      const grown = last.bytes - first.bytes;
      return {
        client: null,
        isOfMany: true,
        summary: `${left}, the memory that the server uses grew by ${grouped(Math.round(grown / 1024))} KB: ${grouped(Math.round(grown / clients))} bytes for each client.`,
        because:
          "What a server keeps for a client, in a list, a Map or a buffer, it must remove when the client leaves, on every way out.",
      };
    }
    return null;
  }

  /** A server that sleeps makes its next system call when a client comes. */
  async #wake(answer: () => MemoryUse | null): Promise<MemoryUse | null> {
    const { server, network, poller, journal } = this.#around;
    const before = server.sockets;
    const client = new Client({ network, poller, journal }, "a client that leaves", server.port);
    client.close();
    const own = server.ownTime();
    const isOver = throttle(10, () => {
      const { asleep, ms, ran } = own.spent;
      return asleep ? ms > answerMs : ran > answerMs;
    });
    await poller.until(() => answer() !== null || isOver(), mostMs);
    await server.holds(before);
    return answer();
  }
}

function most(next: Point, one: Point): MemoryUse {
  const clients = next.clients - one.clients;
  return {
    bytes: slackBytes + bytesPerClient * clients,
    frames: Math.max(fewFrames, clients / clientsPerFrame),
  };
}
