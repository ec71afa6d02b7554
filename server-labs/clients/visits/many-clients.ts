// Many clients. The scripts of many clients at once: in a burst all send in the same moment, idle ones never send.
// The reports are sums: which clients got an answer, in which order, after how long, and how many got no answer.
import { clock } from "../../lib/clock.ts";
import { type AnsweredClient, count, type ManyClientsOutcome, visitLimits } from "../../protocol.ts";
import { SyscallError } from "../../runtime.ts";
import { NotConnected, type Script, type Visit, type VisitClient } from "./visit.ts";

const { timeoutMs, quietPeriodMs, listedAnswers } = visitLimits;
/** This many clients, those with the first answers, have steps of their own: their ports identify their calls. */
const reportedClients = 8;

/** Clients that are let in later are reported when no other has followed for so long, in milliseconds. */
const arrivalsMs = 100;

const clients = (n: number) => count(n, "client");

/** All connect, then all send; judged when all are answered, or nothing new has come for a while. */
export const burst: Script = async visit => {
  const { sends, count } = visit.order;
  const { all, arrivals } = await connectAll(visit, count);
  const began = clock();
  for (const { client } of all) client.send(Buffer.from(sends, "latin1"));
  const who = clients(count);
  // A client that is not let in has sent nothing yet, whatever it was given to send.
  let sent = 0;
  const reportSent = () => {
    const more = arrivals.reported - sent;
    if (more <= 0) return;
    sent += more;
    const statement = { code: "crowd-sent", clients: more } as const;
    visit.steps.report({ who: clients(more), what: "sent", bytes: sends.length * more, statement });
  };
  reportSent();
  const order = new Set<VisitClient>();
  let newest = clock();
  const look = () => {
    for (const one of all) {
      if (one.answers.whole.length === 0 || order.has(one)) continue;
      order.add(one);
      newest = clock();
      if (order.size <= reportedClients) reportAnswer(visit, one);
    }
    return all.every(isFinished);
  };
  visit.onLeave = () => ({ code: "visit-left-crowd", outcome: outcomeOf(visit, all, began) });
  const state = () => `${order.size} ${all.filter(isFinished).length} ${visit.held()}`;
  let reported = "";
  for (;;) {
    await visit.until(
      () => look() || arrivals.due || (clock() - newest > quietPeriodMs && reported !== state()),
    );
    if (arrivals.report()) {
      reportSent();
      newest = clock();
    }
    if (all.every(isFinished)) break;
    if (clock() - newest <= quietPeriodMs) continue;
    reported = state();
    const statement = { code: "crowd-waits", outcome: outcomeOf(visit, all, began) } as const;
    visit.steps.report({ who, what: "waits", statement, answers: listOf(order) });
  }
  const statement = { code: "crowd-answers", answers: order.size } as const;
  visit.steps.report({ who, what: "got", statement, answers: listOf(order) });
  return { code: "visit-crowd-result", outcome: outcomeOf(visit, all, began) };
};

/** All connect, and stay until the visit leaves, or the server closes. */
export const idle: Script = async visit => {
  const { count } = visit.order;
  const { all, arrivals } = await connectAll(visit, count);
  const openNow = () => all.filter(({ client }) => client.state === "open").length;
  visit.onLeave = () => ({ code: "visit-left-idle", open: openNow(), clients: count });
  let reported = -1;
  let since = clock();
  let before = -1;
  for (;;) {
    await visit.until(() => {
      const now = openNow();
      if (now !== before) [before, since] = [now, clock()];
      // A server closes its connections one by one: reported when no more are closed for a while.
      return now !== reported && clock() - since > (reported === -1 ? 0 : 200);
    });
    arrivals.report();
    reported = openNow();
    const closed = all.filter(({ client }) => client.over).length;
    if (closed === count) return { code: "visit-crowd-closed", clients: count };
    const waiting = count - reported - closed;
    const statement = { code: "crowd-idle", open: reported, closed, waiting } as const;
    visit.steps.report({ who: clients(count), what: "waits", statement });
  }
};

/** Makes all clients; those that the kernel does not let in at once go on trying. @throws NotConnected */
async function connectAll(visit: Visit, count: number): Promise<{ all: VisitClient[]; arrivals: Arrivals }> {
  const began = clock();
  const all: VisitClient[] = [];
  try {
    for (let i = 1; i <= count; i++) all.push(visit.connect(`client ${i}`, {}, false));
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    const made = { made: all.length, clients: count, errno: error.code };
    throw new NotConnected({ code: "visit-too-few-clients", ...made });
  }
  await visit.until(() => all.every(({ client }) => client.state !== "connecting"), timeoutMs);
  const refused = all.filter(({ client }) => client.trouble === "ECONNREFUSED").length;
  if (refused > 0) {
    const statement = { code: "crowd-refused", clients: refused } as const;
    visit.steps.report({ who: clients(refused), what: "refused", statement });
  }
  if (refused === count) throw new NotConnected({ code: "visit-not-connected", errno: "ECONNREFUSED" });
  const arrivals = new Arrivals(visit, all, began);
  arrivals.report();
  return { all, arrivals };
}

const isConnected = ({ client }: VisitClient) => client.state !== "connecting" && client.port > 0;

/** How many of the clients are connected, reported again when it has changed: a full accept queue lets them in later. */
class Arrivals {
  readonly #visit: Visit;
  readonly #all: readonly VisitClient[];
  readonly #began: number;
  /** Connected clients, as the newest report counts them; -1 before the first. */
  reported = -1;
  #before = 0;
  #since = 0;

  constructor(visit: Visit, all: readonly VisitClient[], began: number) {
    this.#visit = visit;
    this.#all = all;
    this.#began = began;
  }

  /** Clients have been let in since the newest report, and no other follows at once. */
  get due(): boolean {
    if (this.reported === this.#all.length) return false;
    const now = this.#all.filter(isConnected).length;
    if (now !== this.#before) [this.#before, this.#since] = [now, clock()];
    const waiting = this.#all.some(({ client }) => client.state === "connecting");
    return now > this.reported && (!waiting || clock() - this.#since > arrivalsMs);
  }

  /** Reports who is connected, if that has changed. @returns whether it has */
  report(): boolean {
    const connected = this.#all.filter(isConnected).length;
    if (connected <= this.reported) return false;
    this.reported = connected;
    const waiting = this.#all.filter(({ client }) => client.state === "connecting").length;
    const ms = clock() - this.#began;
    this.#visit.steps.report({
      who: clients(connected),
      what: "connected",
      ports: this.#all.map(one => (isConnected(one) ? one.client.port : 0)),
      statement: { code: "crowd-connected", connected, clients: this.#all.length, ms, waiting },
    });
    return true;
  }
}

const isFinished = ({ client, answers }: VisitClient) =>
  client.over || answers.fault !== null || answers.whole.length > 0;

/** @param began when all had sent, in milliseconds of clock() */
function outcomeOf(visit: Visit, all: VisitClient[], began: number): ManyClientsOutcome {
  const answered = all.filter(({ answers }) => answers.whole.length > 0);
  const times = answered.map(({ receivedAt }) => receivedAt - began).sort((a, b) => a - b);
  const others = all.filter(({ answers }) => answers.whole.length === 0);
  const odd = others.filter(({ answers }) => answers.fault !== null).length;
  const inState = (state: "ended" | "broken") =>
    others.filter(({ client, answers }) => client.state === state && answers.fault === null).length;
  const [closed, reset] = [inState("ended"), inState("broken")];
  return {
    clients: all.length,
    answered: answered.length,
    fromMs: times[0] ?? 0,
    toMs: times.at(-1) ?? 0,
    waiting: others.length - odd - closed - reset,
    closed,
    reset,
    odd,
    held: visit.held(),
  };
}

function reportAnswer(visit: Visit, { client, answers, receivedAt, sentAt }: VisitClient): void {
  const { status, bytes } = answers.whole[0]!;
  const statement = { code: "client-answered", status, ms: receivedAt - sentAt, bytes } as const;
  visit.steps.report({ who: client.name, what: "got", bytes, port: client.port, statement }, receivedAt);
}

/** The clients that were answered first, in the order in which the answers came. */
function listOf(order: Set<VisitClient>): AnsweredClient[] {
  return [...order].slice(0, listedAnswers).map(({ client, answers, receivedAt, sentAt }) => ({
    client: Number(client.name.replace("client ", "")),
    status: answers.whole[0]!.status,
    ms: receivedAt - sentAt,
    port: client.port,
  }));
}
