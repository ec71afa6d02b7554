// What each kind of visit with one client does. Every script ends with a sentence: what came of it.
import { slowReader, visitLimits } from "../../protocol.ts";
import { clock } from "../calls.ts";
import { connection } from "../connections.ts";
import { every } from "../wait.ts";
import { type Guest, NotIn, type Script, type Visit } from "./visit.ts";
import { ms, octets } from "./words.ts";

const { patienceMs } = visitLimits;
/** What may not come has no event to wait for: it gets this long, in milliseconds. */
const afterwardsMs = 300;
/** Between two looks at the server's end of a connection, in milliseconds. */
const lookMs = 4;

export const get: Script = async visit => {
  const guest = await come(visit);
  say(guest, visit.order.sends);
  return answered(visit, guest);
};

export const silent: Script = async visit => {
  const guest = await come(visit);
  waits(visit, guest, "connected, and says nothing");
  visit.stands = () => `it was silent for ${ms(clock() - guest.heardAt)}`;
  await visit.until(() => guest.client.over);
  return heard(guest);
};

/** Each piece when the server has read the one before. */
export const split: Script = async visit => {
  const guest = await come(visit);
  const { sends, pieces } = visit.order;
  const cuts = [...pieces, sends.length];
  for (const [i, end] of cuts.entries()) {
    if (guest.client.over) break;
    say(guest, sends.slice(i === 0 ? 0 : cuts[i - 1]!, end));
    if (i < cuts.length - 1) await read(visit, guest, `piece ${i + 1} of ${cuts.length}`);
  }
  return answeredTwice(visit, guest);
};

/** An octet at a time, however long the server takes. */
export const drip: Script = async visit => {
  const guest = await come(visit);
  const { sends, everyMs } = visit.order;
  for (const [i, octet] of [...sends].entries()) {
    if (i > 0) await visit.until(() => guest.client.over, everyMs);
    if (guest.client.over) break;
    say(guest, octet);
  }
  return answeredTwice(visit, guest);
};

export const pipeline: Script = async visit => {
  const guest = await come(visit);
  const { sends, count } = visit.order;
  say(guest, sends.repeat(count));
  return answered(visit, guest, count);
};

export const halfClose: Script = async visit => {
  const guest = await come(visit);
  say(guest, visit.order.sends);
  await visit.until(() => guest.client.unsent === 0 || guest.client.over);
  if (!guest.client.over) {
    guest.client.end();
    visit.step({ ...who(guest), what: "closed", sentence: "the client ends its half (FIN), and reads on" });
  }
  return answered(visit, guest);
};

export const reset: Script = async visit => {
  const guest = await come(visit);
  say(guest, visit.order.sends);
  await visit.until(() => guest.client.unsent === 0 || guest.client.over);
  if (guest.client.over) return heard(guest);
  guest.client.reset();
  visit.step({ ...who(guest), what: "closed", sentence: "the client cuts the connection off (RST)" });
  return "sent its request, and an RST behind it";
};

/** Takes a little now and then: what it has not taken waits in the server's hands. */
export const slowly: Script = async visit => {
  const guest = await come(visit, { reads: false, receiveBuffer: slowReader.receiveBuffer });
  const { sends, everyMs } = visit.order;
  const began = clock();
  say(guest, sends);
  waits(
    visit,
    guest,
    `takes ${octets(slowReader.octets)} every ${ms(everyMs)}, and has room for little more`,
  );
  visit.stands = () => `it had taken ${octets(guest.answers.octets)} in ${ms(clock() - began)}`;
  while (!over(guest)) {
    await visit.until(() => guest.client.over, everyMs);
    guest.client.takeSome(slowReader.octets);
  }
  return heard(guest);
};

/** Sends what was typed, and stays. */
export const raw: Script = async visit => {
  const guest = await come(visit);
  visit.stands = () => heard(guest);
  if (visit.order.sends === "") waits(visit, guest, "connected, and nothing is sent");
  else {
    say(guest, visit.order.sends);
    await visit.until(() => guest.client.over || guest.answers.octets > 0, patienceMs);
    if (!guest.client.over) waits(visit, guest, `${heard(guest)}; the connection stays open`);
  }
  await visit.until(() => guest.client.over);
  return heard(guest);
};

/** Connects one client; it is said when that takes its time. @throws NotIn when it is not let in */
async function come(visit: Visit, options = {}): Promise<Guest> {
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

function say(guest: Guest, text: string): void {
  guest.client.send(Buffer.from(text, "latin1"));
}

/** Waits until the server has read all that was sent; a server that does not is not waited for without end. */
async function read(visit: Visit, guest: Guest, what: string): Promise<void> {
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
async function answered(visit: Visit, guest: Guest, wanted = 1): Promise<string> {
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
async function answeredTwice(visit: Visit, guest: Guest): Promise<string> {
  await answered(visit, guest);
  const { client, answers } = guest;
  await visit.until(() => client.over || answers.fault !== null || answers.whole.length > 1, afterwardsMs);
  return heard(guest);
}

const over = ({ client, answers }: Guest, wanted = 1) =>
  client.over || answers.fault !== null || answers.whole.length >= wanted;

/** What came, in words. */
function heard({ client, answers, sentAt, heardAt }: Guest, wanted = 1): string {
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

function waits(visit: Visit, guest: Guest, sentence: string): void {
  visit.step({ ...who(guest), what: "waits", sentence });
}

function who({ client }: Guest): { who: string; port?: number } {
  return { who: client.name, ...(client.port > 0 ? { port: client.port } : {}) };
}
