// Kinds. The script of each kind of visit with one client.
import { clock } from "../../lib/clock.ts";
import { slowReader, visitLimits } from "../../protocol.ts";
import {
  answered,
  answeredTwice,
  connectClient,
  isOver,
  reportWait,
  secondAnswerMs,
  sendBytes,
  untilRead,
  visitOutcome,
  visitResult,
} from "./single.ts";
import { type Script, whoOf } from "./visit.ts";

const { timeoutMs } = visitLimits;

export const oneGet: Script = async visit => {
  const visitClient = await connectClient(visit);
  sendBytes(visitClient, visit.order.sends);
  return answered(visit, visitClient);
};

export const silent: Script = async visit => {
  const visitClient = await connectClient(visit);
  reportWait(visit, visitClient, { code: "client-silent" });
  visit.onLeave = () => ({ code: "visit-left-silent", ms: clock() - visitClient.receivedAt });
  await visit.until(() => visitClient.client.over);
  return visitResult(visitClient);
};

/** Each piece when the server has read the one before. */
export const split: Script = async visit => {
  const visitClient = await connectClient(visit);
  const { sends, pieces } = visit.order;
  const cuts = [...pieces, sends.length];
  for (const [i, end] of cuts.entries()) {
    if (visitClient.client.over) break;
    sendBytes(visitClient, sends.slice(i === 0 ? 0 : cuts[i - 1]!, end));
    if (i < cuts.length - 1) await untilRead(visit, visitClient, i + 1, cuts.length);
  }
  return answeredTwice(visit, visitClient);
};

/** A byte at a time, however long the server takes. */
export const drip: Script = async visit => {
  const visitClient = await connectClient(visit);
  const { sends, everyMs } = visit.order;
  for (const [i, byte] of [...sends].entries()) {
    if (i > 0) await visit.until(() => visitClient.client.over, everyMs);
    if (visitClient.client.over) break;
    sendBytes(visitClient, byte);
  }
  return answeredTwice(visit, visitClient);
};

export const pipeline: Script = async visit => {
  const visitClient = await connectClient(visit);
  const { sends, count } = visit.order;
  sendBytes(visitClient, sends.repeat(count));
  return answered(visit, visitClient, count);
};

export const halfClose: Script = async visit => {
  const visitClient = await connectClient(visit);
  sendBytes(visitClient, visit.order.sends);
  await visit.until(() => visitClient.client.unsent === 0 || visitClient.client.over);
  if (!visitClient.client.over) {
    visitClient.client.end();
    const statement = { code: "client-half-closes" } as const;
    visit.steps.report({ ...whoOf(visitClient), what: "closed", statement });
  }
  return answered(visit, visitClient);
};

export const reset: Script = async visit => {
  const visitClient = await connectClient(visit);
  sendBytes(visitClient, visit.order.sends);
  await visit.until(() => visitClient.client.unsent === 0 || visitClient.client.over);
  if (visitClient.client.over) return visitResult(visitClient);
  visitClient.client.reset();
  visit.steps.report({ ...whoOf(visitClient), what: "closed", statement: { code: "client-resets" } });
  return { code: "visit-reset-sent" };
};

/** Reads a few bytes at a time: the rest waits in the queues of the kernel, and then in the server. */
export const readSlowly: Script = async visit => {
  const visitClient = await connectClient(visit, { reads: false, receiveBuffer: slowReader.receiveBuffer });
  const { sends, everyMs } = visit.order;
  const began = clock();
  sendBytes(visitClient, sends);
  reportWait(visit, visitClient, { code: "client-reads-slowly", bytes: slowReader.bytes, everyMs });
  visit.onLeave = () => {
    return { code: "visit-left-reading", bytes: visitClient.answers.bytes, ms: clock() - began };
  };
  while (!isOver(visitClient)) {
    await visit.until(() => visitClient.client.over, everyMs);
    visitClient.client.receiveOnce(slowReader.bytes);
  }
  return visitResult(visitClient);
};

/** Sends what was typed, and stays. */
export const raw: Script = async visit => {
  const visitClient = await connectClient(visit);
  visit.onLeave = () => ({ code: "visit-left-result", outcome: visitOutcome(visitClient) });
  if (visit.order.sends === "") reportWait(visit, visitClient, { code: "client-sends-nothing" });
  else {
    sendBytes(visitClient, visit.order.sends);
    const { client, answers } = visitClient;
    await visit.until(() => client.over || answers.bytes > 0, timeoutMs);
    while (!client.over) {
      const { bytes } = answers;
      reportWait(visit, visitClient, { code: "client-stays", outcome: visitOutcome(visitClient) });
      await visit.until(() => client.over || answers.bytes !== bytes);
      // What comes in many pieces is reported once.
      await visit.until(() => client.over, secondAnswerMs);
    }
  }
  await visit.until(() => visitClient.client.over);
  return visitResult(visitClient);
};
