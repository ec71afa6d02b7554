// What a script does with its one client: lets it come in, lets it say something, waits for what should follow, and puts
// into words what came of it. Nobody is waited for in silence: that it takes long is said, and why.
import { visitLimits } from "../../protocol.ts";
import { clock } from "../calls.ts";
import { connection } from "../connections.ts";
import { every } from "../wait.ts";
import { type Guest, NotIn, type Visit } from "./visit.ts";
import { ms, octets } from "./words.ts";

const { patienceMs } = visitLimits;
/** What may not come has no event to wait for: it gets this long, in milliseconds. */
const afterwardsMs = 300;
/** Between two looks at the server's end of a connection, in milliseconds. */
const lookMs = 4;

/** Connects one client; it is said when that takes its time. @throws NotIn when it is not let in */
export async function come(visit: Visit, options = {}): Promise<Guest> {
  const guest = visit.guest("client", options);
  const { client } = guest;
  const decided = () => client.state !== "connecting";
  if (!(await visit.until(decided, patienceMs)))
    waits(
      visit,
      guest,
      `${ms(patienceMs)} without a connection: the kernel lets nobody in while the accept queue is full`,
    );
  await visit.until(decided);
  if (client.state === "broken" && client.port === 0) throw new NotIn(`not connected: ${client.trouble}`);
  return guest;
}

export function say(guest: Guest, text: string): void {
  guest.client.send(Buffer.from(text, "latin1"));
}

/** Waits until the server has read all that was sent; a server that does not is not waited for without end. */
export async function read(visit: Visit, guest: Guest, what: string): Promise<void> {
  const { client } = guest;
  let since = clock();
  let told = false;
  const seen = every(lookMs, () => hasRead(visit, guest) && client.unsent === 0);
  const found = await visit.until(
    () => {
      const held = visit.held();
      if (held) {
        since = clock();
        if (!told)
          waits(visit, guest, `the program is ${held}: it has not read ${what}, and the next one waits`);
        told = true;
      }
      if (client.over || seen()) return "read";
      return clock() - since > patienceMs && "not read";
    },
    Number.POSITIVE_INFINITY,
    true,
  );
  if (found === "not read")
    waits(
      visit,
      guest,
      `the server has not read ${what} for ${ms(patienceMs)}: the next one follows all the same`,
    );
}

/** The server has read what came, or its end is gone. While nobody has accepted it (inode 0) nothing can have been read. */
function hasRead({ order }: Visit, { client }: Guest): boolean {
  const end = connection(order.port, client.port, order.host);
  return end === null || (end.inode !== 0 && end.recvQueue === 0);
}

/** Waits for so many whole answers, however long it takes: that it takes long is said. */
export async function answered(visit: Visit, guest: Guest, wanted = 1): Promise<string> {
  const { answers } = guest;
  visit.stands = () => heard(guest, wanted);
  const decided = () => over(guest, wanted);
  if (!(await visit.until(decided, patienceMs))) {
    const has = answers.whole.length === 0 && answers.octets === 0 ? "no answer" : heard(guest, wanted);
    const held = visit.held();
    const why = held ? `; the program is ${held}, and` : ":";
    waits(visit, guest, `${has} for ${ms(patienceMs)}${why} the client waits`);
    await visit.until(decided);
  }
  return heard(guest, wanted);
}

/** A server that takes each piece for a request answers more than once: the client stays a moment to hear it. */
export async function answeredTwice(visit: Visit, guest: Guest): Promise<string> {
  await answered(visit, guest);
  const { client, answers } = guest;
  await visit.until(() => client.over || answers.fault !== null || answers.whole.length > 1, afterwardsMs);
  return heard(guest);
}

export const over = ({ client, answers }: Guest, wanted = 1) =>
  client.over || answers.fault !== null || answers.whole.length >= wanted;

/** What came, in words. */
export function heard({ client, answers, sentAt, heardAt }: Guest, wanted = 1): string {
  const { whole, fault } = answers;
  const all = octets(answers.octets);
  const end =
    client.state === "ended"
      ? "the server has closed the connection"
      : client.state === "broken"
        ? `the connection is broken (${client.trouble})`
        : "";
  const after =
    heardAt > sentAt
      ? sentAt > 0
        ? ` after ${ms(heardAt - sentAt)}`
        : ""
      : " before it had asked to the end";
  const behind = end === "" ? "" : `; ${end}`;
  if (wanted > 1 && whole.length > 0) {
    const statuses = [...new Set(whole.map(({ status }) => status))].join(", ");
    return `${whole.length} of ${wanted} answered (${statuses})${after}, ${all}${whole.length < wanted ? behind : ""}`;
  }
  if (whole.length > 1) {
    const statuses = whole.slice(0, 5).map(({ status }) => status);
    return `${whole.length} answers to one request (${statuses.join(", ")}), ${all}`;
  }
  if (whole.length > 0) return `answered ${whole[0]!.status}${after}, ${all}`;
  if (answers.octets === 0) return end === "" ? "nothing came" : `nothing came, and ${end}`;
  if (fault !== null) return `${all} came that are no HTTP answer: ${fault}${behind}`.slice(0, 390);
  return `${all} came, but not a whole answer: ${answers.has}${behind}`;
}

export function waits(visit: Visit, guest: Guest, sentence: string): void {
  visit.steps.tell({ ...who(guest), what: "waits", sentence });
}

export function who({ client }: Guest): { who: string; port?: number } {
  return { who: client.name, ...(client.port > 0 ? { port: client.port } : {}) };
}
