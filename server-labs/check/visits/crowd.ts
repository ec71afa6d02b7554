// Many clients at once: a burst, that all speak in the same moment, and idle ones, that never do. They are told in
// sums: who of them was answered, in which order, after how long, and how many never.
import { visitLimits } from "../../protocol.ts";
import { SyscallError } from "../../runtime/net.ts";
import { clock } from "../calls.ts";
import { type Guest, NotIn, type Script, type Visit } from "./visit.ts";
import { clients, ms, octets, verb } from "./words.ts";

const { patienceMs, silenceMs } = visitLimits;
/** Those who are answered first are named, with their ports: their connections can be looked up in the calls. */
const named = 8;
/** Lines of the table of answers, which is cut by the octets of a step, too. */
const listed = 40;

/** All connect, then all send; judged when all are answered, or nothing new has come for a while. */
export const burst: Script = async visit => {
  const { sends, count } = visit.order;
  const guests = await crowd(visit, count);
  const began = clock();
  for (const { client } of guests) client.send(Buffer.from(sends, "latin1"));
  visit.steps.tell({
    who: clients(count),
    what: "sent",
    bytes: sends.length * count,
    sentence: `${clients(count)} sent their requests`,
  });
  const seen = new Set<Guest>();
  const order: Guest[] = [];
  let newest = clock();
  const look = () => {
    for (const guest of guests) {
      if (guest.answers.whole.length === 0 || seen.has(guest)) continue;
      seen.add(guest);
      order.push(guest);
      newest = clock();
      if (order.length <= named) visit.steps.tell(first(guest), guest.heardAt);
    }
    return guests.every(done);
  };
  visit.stands = () => verdict(visit, guests, began);
  let told = "";
  for (;;) {
    const quiet = () => look() || (clock() - newest > silenceMs && told !== so());
    const so = () => `${order.length} ${guests.filter(done).length}`;
    await visit.until(quiet);
    if (guests.every(done)) break;
    told = so();
    const sentence = verdict(visit, guests, began);
    visit.steps.tell({ who: clients(count), what: "waits", sentence, ...table(order) });
  }
  visit.steps.tell({
    who: clients(count),
    what: "got",
    sentence: `${order.length} answers, in this order`,
    ...table(order),
  });
  return verdict(visit, guests, began);
};

/** They come, and stay until they are told to leave, or the server closes. */
export const idle: Script = async visit => {
  const { count } = visit.order;
  const guests = await crowd(visit, count);
  const held = () => guests.filter(({ client }) => client.state === "open").length;
  visit.stands = () => `${held()} of ${count} connections were open`;
  let told = -1;
  let since = clock();
  let before = -1;
  for (;;) {
    await visit.until(() => {
      const now = held();
      if (now !== before) [before, since] = [now, clock()];
      // What a server closes, it closes one by one: that is told when it has come to rest.
      return now !== told && clock() - since > (told === -1 ? 0 : 200);
    });
    told = held();
    const lost = guests.filter(({ client }) => client.over).length;
    const rest = count - told - lost;
    const sentence = `${verb(told, "connection is", "connections are")} open, and nobody says anything${
      lost > 0 ? `; ${verb(lost, "was", "were")} closed by the server` : ""
    }${rest > 0 ? `; ${verb(rest, "is", "are")} not let in yet` : ""}`;
    if (lost === count)
      return `the server has closed ${count === 1 ? "the connection" : `all ${count} connections`}`;
    visit.steps.tell({ who: clients(count), what: "waits", sentence });
  }
};

/** Makes them all; those that are not let in at once go on trying. */
async function crowd(visit: Visit, count: number): Promise<Guest[]> {
  const began = clock();
  const guests: Guest[] = [];
  try {
    for (let i = 1; i <= count; i++) guests.push(visit.guest(`client ${i}`, {}, false));
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw new NotIn(`only ${clients(guests.length)} of ${count} could be made: ${error.code}`);
  }
  const open = () => guests.filter(({ client }) => client.state !== "connecting" && client.port > 0).length;
  await visit.until(() => guests.every(({ client }) => client.state !== "connecting"), patienceMs);
  const [there, refused] = [open(), guests.filter(({ client }) => client.trouble === "ECONNREFUSED").length];
  const rest = count - there - refused;
  if (refused > 0)
    visit.steps.tell({
      who: clients(refused),
      what: "refused",
      sentence: `${verb(refused, "client was", "clients were")} refused: nobody listens there (ECONNREFUSED)`,
    });
  if (refused === count) throw new NotIn("not connected: ECONNREFUSED");
  const ports = guests.map(({ client }) => client.port);
  visit.steps.tell({
    who: clients(there),
    what: "connected",
    ...(ports.every(port => port > 0) ? { ports } : {}),
    sentence: `${there === count ? "" : `${there} of `}${clients(count)} connected after ${ms(clock() - began)}${
      rest > 0 ? `; ${verb(rest, "is", "are")} not let in: the accept queue is full` : ""
    }`,
  });
  return guests;
}

const done = ({ client, answers }: Guest) =>
  client.over || answers.fault !== null || answers.whole.length > 0;

/** "1 of 50 was answered; 49 still wait" */
function verdict(visit: Visit, guests: Guest[], began: number): string {
  const yes = guests.filter(({ answers }) => answers.whole.length > 0);
  const times = yes.map(({ heardAt }) => heardAt - began).sort((a, b) => a - b);
  const no = guests.filter(({ answers }) => answers.whole.length === 0);
  const odd = no.filter(({ answers }) => answers.fault !== null).length;
  const [ended, broken] = (["ended", "broken"] as const).map(
    state => no.filter(({ client, answers }) => client.state === state && answers.fault === null).length,
  ) as [number, number];
  const waiting = no.length - odd - ended - broken;
  const held = visit.held();
  const [from, to] = [times[0], times.at(-1)].map(time => ms(time ?? 0));
  const range = times.length === 0 ? "" : from === to ? ` after ${from}` : `, after ${from} to ${to}`;
  const parts = [
    `${yes.length} of ${guests.length} ${yes.length === 1 ? "was" : "were"} answered${range}`,
    ...(waiting > 0 ? [`${verb(waiting, "still waits", "still wait")}`] : []),
    ...(ended > 0 ? [`${verb(ended, "was", "were")} closed without an answer`] : []),
    ...(broken > 0 ? [`${verb(broken, "was", "were")} cut off (RST)`] : []),
    ...(odd > 0 ? [`${verb(odd, "got something that is", "got something that is")} no HTTP answer`] : []),
    ...(waiting > 0 && held ? [`the program is ${held}`] : []),
  ];
  return parts.join("; ");
}

function first(guest: Guest) {
  const { client, answers, heardAt, sentAt } = guest;
  const [answer] = answers.whole;
  const sentence = `answered ${answer!.status} after ${ms(heardAt - sentAt)}, ${octets(answer!.octets)}`;
  return { who: client.name, what: "got" as const, bytes: answer!.octets, port: client.port, sentence };
}

/** Who was answered, in the order in which it came. */
function table(order: Guest[]): { text?: string } {
  if (order.length === 0) return {};
  const lines = order
    .slice(0, listed)
    .map(
      ({ client, answers, heardAt, sentAt }) =>
        `${client.name}: ${answers.whole[0]!.status} after ${ms(heardAt - sentAt)} (port ${client.port})`,
    );
  const more = order.length > listed ? [`… and ${order.length - listed} more`] : [];
  return { text: [...lines, ...more].join("\n").slice(0, visitLimits.shownBytes) };
}
