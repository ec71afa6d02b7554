// What each kind of visit with one client does. Every script ends with a sentence: what came of it.
import { slowReader, visitLimits } from "../../protocol.ts";
import { clock } from "../calls.ts";
import { answered, answeredTwice, come, heard, over, read, say, waits, who } from "./guest.ts";
import type { Script } from "./visit.ts";
import { ms, octets } from "./words.ts";

const { patienceMs } = visitLimits;

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
    visit.steps.tell({
      ...who(guest),
      what: "closed",
      sentence: "the client ends its half (FIN), and reads on",
    });
  }
  return answered(visit, guest);
};

export const reset: Script = async visit => {
  const guest = await come(visit);
  say(guest, visit.order.sends);
  await visit.until(() => guest.client.unsent === 0 || guest.client.over);
  if (guest.client.over) return heard(guest);
  guest.client.reset();
  visit.steps.tell({ ...who(guest), what: "closed", sentence: "the client cuts the connection off (RST)" });
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
