// Single client. The steps of a script with one client: connect, send, wait for the answer, state the result.
// No wait is silent: the visit reports that it waits, and for what.
import { clock } from "../../lib/clock.ts";
import { type ClientOutcome, type Held, type VisitorStatement, visitLimits } from "../../protocol.ts";
import { throttle } from "../poller.ts";
import { socketByPorts } from "../sock-diag.ts";
import { NotConnected, type Visit, type VisitClient, whoOf } from "./visit.ts";

const { timeoutMs } = visitLimits;
/** A second answer may not come, and no event says so: the client waits this long, in milliseconds. */
export const secondAnswerMs = 300;
/** Between two looks at the server's end of a connection, in milliseconds. */
const lookMs = 4;

/** Connects one client; reports that it waits where that takes long. @throws NotConnected */
export async function connectClient(visit: Visit, options = {}): Promise<VisitClient> {
  const visitClient = visit.connect("client", options);
  const { client } = visitClient;
  const decided = () => client.state !== "connecting";
  if (!(await visit.until(decided, timeoutMs)))
    reportWait(visit, visitClient, { code: "client-not-let-in", ms: timeoutMs });
  await visit.until(decided);
  if (client.state === "broken" && client.port === 0)
    throw new NotConnected({ code: "visit-not-connected", errno: client.trouble || "unknown" });
  return visitClient;
}

/** @param text the bytes, one character each */
export function sendBytes({ client }: VisitClient, text: string): void {
  client.send(Buffer.from(text, "latin1"));
}

/**
 * Waits until the server has read all that was sent; not without end for a server that does not read.
 * @param piece of how many pieces, counted from 1: for the report
 */
export async function untilRead(
  visit: Visit,
  visitClient: VisitClient,
  piece: number,
  pieces: number,
): Promise<void> {
  const { client } = visitClient;
  const unread = { code: "piece-not-read", piece, pieces, ms: timeoutMs } as const;
  let since = clock();
  let reported: Held | null = null;
  const seen = throttle(lookMs, () => hasRead(visit, visitClient) && client.unsent === 0);
  const found = await visit.until(
    () => {
      const held = visit.held();
      if (held) {
        since = clock();
        if (reported !== held) reportWait(visit, visitClient, { ...unread, held });
        reported = held;
      }
      if (client.over || seen()) return "read";
      return clock() - since > timeoutMs && "not read";
    },
    Number.POSITIVE_INFINITY,
    true,
  );
  if (found === "not read") reportWait(visit, visitClient, { ...unread, held: null });
}

/** The server has read what came, or its end is gone. Before accept (inode 0) it cannot have read anything. */
function hasRead({ order }: Visit, { client }: VisitClient): boolean {
  const end = socketByPorts(order.port, client.port, order.host);
  return end === null || (end.inode !== 0 && end.recvQueue === 0);
}

/**
 * Waits for so many whole answers, however long it takes. Reports that it waits when nothing has come for a while, and
 * again when the driver stops the program or lets it go on.
 */
export async function answered(
  visit: Visit,
  visitClient: VisitClient,
  wanted = 1,
): Promise<VisitorStatement> {
  visit.onLeave = () => ({ code: "visit-left-result", outcome: visitOutcome(visitClient, wanted) });
  const decided = () => isOver(visitClient, wanted);
  const { answers } = visitClient;
  let since = clock();
  let reported = -1;
  while (!decided()) {
    const { bytes } = answers;
    const held = visit.held();
    const isReported = reported === bytes;
    const changed = () => answers.bytes !== bytes || (isReported && visit.held() !== held);
    const leftMs = isReported ? Number.POSITIVE_INFINITY : timeoutMs - (clock() - since);
    await visit.until(() => decided() || changed(), leftMs);
    if (decided()) break;
    if (answers.bytes !== bytes) since = clock();
    else {
      const ms = isReported ? clock() - since : timeoutMs;
      const outcome = visitOutcome(visitClient, wanted);
      reportWait(visit, visitClient, { code: "client-waits", outcome, ms, held: visit.held() });
      reported = bytes;
    }
  }
  return visitResult(visitClient, wanted);
}

/** A server that takes each piece for a request answers more than once: the client stays a moment to receive it. */
export async function answeredTwice(visit: Visit, visitClient: VisitClient): Promise<VisitorStatement> {
  await answered(visit, visitClient);
  const { client, answers } = visitClient;
  await visit.until(() => client.over || answers.fault !== null || answers.whole.length > 1, secondAnswerMs);
  return visitResult(visitClient);
}

export const isOver = ({ client, answers }: VisitClient, wanted = 1) =>
  client.over || answers.fault !== null || answers.whole.length >= wanted;

export function visitResult(visitClient: VisitClient, wanted = 1): VisitorStatement {
  return { code: "visit-result", outcome: visitOutcome(visitClient, wanted) };
}

/** What came until now, and the state of the connection. */
export function visitOutcome(
  { client, answers, sentAt, receivedAt }: VisitClient,
  wanted = 1,
): ClientOutcome {
  const { state, trouble } = client;
  return {
    wanted,
    statuses: answers.whole.map(({ status }) => status).slice(0, visitLimits.clients),
    bytes: answers.bytes,
    afterMs: receivedAt > sentAt && sentAt > 0 ? receivedAt - sentAt : null,
    early: receivedAt <= sentAt,
    connection: state === "ended" || state === "broken" ? state : "open",
    errno: state === "broken" ? trouble : null,
    fault: answers.fault,
    has: answers.has,
  };
}

export function reportWait(visit: Visit, visitClient: VisitClient, statement: VisitorStatement): void {
  visit.steps.report({ ...whoOf(visitClient), what: "waits", statement });
}
