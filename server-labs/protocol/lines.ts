// Lines. An event as text for a person: what `curl …/events?as=text` prints, one line for each thing that happened.
import type { CallRecord } from "./calls.ts";
import type { Event, EventOf } from "./events.ts";
import { longTime, notation } from "./notation.ts";
import { missingWords } from "./scoreboard.ts";
import { count, grouped } from "./sentences/format.ts";
import { sentence } from "./sentences.ts";
import { tasksNow } from "./tasks.ts";
import { visible } from "./visible.ts";
import { paceSentence } from "./with-sentences.ts";

/**
 * The lines of one event, without their newlines: "  1.234  recv(7, 1024) = -1 EAGAIN (would block)". Most events are one
 * line; calls are a line each, and output is the lines that the program printed, without power over a terminal.
 */
export function linesOf(event: Event): string[] {
  if (event.type === "syscalls") {
    const calls = event.calls.map(call =>
      line(
        call.at,
        `${call.took === null ? `${notation(call)} …` : notation(call)}${timeOf(call)}${placeOf(call)}${taskWords(call)}`,
      ),
    );
    return event.repeats ? [...calls, line(event.at, repeatingCalls(event.repeats))] : calls;
  }
  return wordsOf(event).map(words => line(event.at, visible(words)));
}

/** "failed"; "not judged: …", "unobserved: …" with the reason. */
function checkWord({ state, note }: EventOf<"check">): string {
  const word = state === "unjudged" ? "not judged" : state;
  return note === undefined ? word : `${word}: ${note}`;
}

const line = (at: number, words: string) => `${(at / 1000).toFixed(3).padStart(8)}  ${words}`;
const timeOf = (call: CallRecord) => (longTime(call) === "" ? "" : `  <${longTime(call)}>`);
const taskWords = ({ task }: CallRecord) => (task ? `  [${visible(task.name)}]` : "");
const placeOf = ({ line, file = "" }: CallRecord) => (line === null ? "" : `  ${visible(file)}:${line}`);

function wordsOf(event: Exclude<Event, { type: "syscalls" }>): string[] {
  switch (event.type) {
    case "starting":
      return [`starting ${event.command}`];
    case "listening":
      return [`listening on ${event.url}`, ...(event.statement ? [sentence(event.statement)] : [])];
    case "output":
      return event.text
        .replace(/\n$/, "")
        .split("\n")
        .map(text => `${event.stream}: ${text}`);
    case "output-omitted":
      return [`${event.stream}: … ${count(event.bytes, "byte")} left out …`];
    case "syscalls-omitted":
      return [omittedCalls(event)];
    case "kernel":
      return [`kernel: ${sentence(event.sample.doing)}`];
    case "tasks":
      return [`tasks: ${sentence(tasksNow(event.sample))}`];
    case "check":
      return [`${event.server ? `${event.server}: ` : ""}check "${event.title}": ${checkWord(event)}`];
    case "scoreboard":
      return event.servers.map(
        ({ name, missing }) => `scoreboard: ${name}${missing ? ` (${missingWords(missing)})` : ""}`,
      );
    case "gap":
      return [`… ${count(event.events, "event")} before this are no longer kept …`];
    case "visit":
      return [`visit ${event.visit}${event.who && `, ${event.who}`}: ${sentence(event.statement)}`];
    case "pace":
      return [`pace: ${paceSentence(event)}`];
    case "exited":
    case "refused":
      return [`${event.type}: ${sentence(event.statement)}`];
  }
}

/** "… 197 calls that repeat are no longer kept: recv ×197 …" */
function repeatingCalls(byName: Record<string, number>): string {
  const names = Object.entries(byName).map(([name, times]) => `${name} ×${grouped(times)}`);
  const all = Object.values(byName).reduce((sum, times) => sum + times, 0);
  return `… ${count(all, "call")} that repeat are no longer kept: ${names.join(", ")} …`;
}

/** "… 1,206 calls not shown one by one: recv ×1,200, and 6 lost in the flood; the 2 that differ follow …" */
export function omittedCalls(event: EventOf<"syscalls-omitted">): string {
  const { first, byName, lost = 0, through = first + event.count - 1 } = event;
  const names = Object.entries(byName)
    .sort(([, a], [, b]) => b - a)
    .map(([name, times]) => `${name} ×${grouped(times)}`);
  if (lost > 0) names.push(`${names.length > 0 ? "and " : ""}${grouped(lost)} lost in the flood`);
  const differ = through - first + 1 - event.count;
  const follow =
    differ > 0
      ? `; the ${differ === 1 ? "one that differs follows" : `${grouped(differ)} that differ follow`}`
      : "";
  return `… ${count(event.count, "call")} not shown one by one: ${names.join(", ")}${follow} …`;
}
