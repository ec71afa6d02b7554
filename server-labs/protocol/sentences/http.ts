// HTTP sentences. English: why the lab server refuses a request.
// The refusals of labs.ts and pace/ are here too, because they reach a person through http/ only.

import { suggestion } from "../nearest.ts";
import { grouped, quotedWord } from "./format.ts";

/** The part of a request that a schema judged. */
type Judged = { what: "body" | "request" };
/** Where a person finds the token, and how this kind of request carries it. */
type Token = { tokenFile: string; host: string; way: "http" | "websocket" };

const runStates = {
  starting: "the run is starting",
  listening: "the run is listening",
  running: "the run is running",
  stopping: "the run is stopping",
  exited: "the run has ended",
  refused: "the run did not start",
};

export const en = {
  // Addresses and methods
  "nothing-there": ({ path }: { path: string }) => `There is nothing at ${path}. Begin at /api/labs.`,
  "no-such-page": ({ path }: { path: string }) =>
    `There is nothing at ${path}. The page is at /, the API begins at /api/labs.`,
  "method-not-allowed": ({ method, path, allow }: { method: string; path: string; allow: string[] }) =>
    `${method} is not for ${path}; use ${allow.join(", ")}.`,
  "upgrade-required": () => "A WebSocket is opened here.",
  "unfit-from": ({ from }: { from: string }) =>
    `"from" is the number of the first event that you want, like ?from=0, not ${quotedWord(from)}.`,
  "unfit-as": ({ as }: { as: string }) =>
    `"as" is the form of the events, ?as=text or ?as=json, not ${quotedWord(as)}.`,

  // Bodies and requests
  "body-too-long": ({ bytes, limit }: { bytes?: number; limit: number }) =>
    bytes === undefined
      ? `The body is longer than the ${limit} bytes that the lab server reads.`
      : `The body has ${bytes} bytes; the lab server reads at most ${limit}.`,
  "body-not-plain-json": () =>
    `A body must be plain JSON: curl -H "Content-Type: application/json" -d '{}' …`,
  "body-cut-off": () => "The body ended before all of it had come. Send it again.",
  "body-empty": () => "The body is empty; {} is the shortest body.",
  "body-not-utf8": () => "The body is not JSON: it is not UTF-8 text.",
  "not-json": ({ what, why }: Judged & { why: string }) => `The ${what} is not JSON: ${why}.`,
  "not-an-object": ({ what }: Judged) => `The ${what} is not as it should be: it is a list, not {…}.`,
  "unknown-field": ({ what, field }: Judged & { field: string }) =>
    `The ${what} has a field "${field}" that is not known here.`,
  "unfit-value": ({ what, field, why }: Judged & { field: string | null; why: string }) =>
    `The ${what} is not as it should be${field === null ? "" : ` in "${field}"`}: ${why}.`,
  "message-not-text": () => "Requests are text, one JSON object a message.",

  // Labs, runs and checks
  "unknown-lab": ({ lab, known }: { lab: string; known: string[] }) =>
    `There is no lab "${lab}".${suggestion(lab, known, "labs")} They are listed at /api/labs.`,
  "unknown-run": ({ run }: { run: string }) =>
    `There is no run "${run}". Runs end with the lab server; /api/labs lists those that there are.`,
  "unknown-check": ({ lab, check, known }: { lab: string; check: string; known: string[] }) =>
    `The lab ${lab} has no check "${check}".${suggestion(check, known, "checks")}`,
  "no-rivals": ({ lab }: { lab: string }) =>
    `The lab ${lab} has no rivals: there is no scoreboard. Make the checks alone.`,
  "check-under-way": ({ lab }: { lab: string }) =>
    `The checks of ${lab} are under way. Wait for their end, or stop them; then compare the servers.`,
  "check-cannot-pause": () =>
    "A check cannot be paused: its clients would take that for the server's fault. Pause a program of your own.",
  "check-brings-clients": () =>
    "This run is a check, which brings its own clients. Visits go to a program: press Run.",
  "run-not-started": () => "This run did not start: no client can connect to it.",
  "no-tasks": () =>
    "This program has no tasks in its trace: it spawns them with workbook/tasks, or its own hub calls taskSpawned().",
  "check-has-no-kernel-view": () =>
    "That run is a check: the lab server asks the kernel about programs only.",
  "no-process": ({ state }: { state: keyof typeof runStates }) =>
    `There is no process to ask the kernel about: ${runStates[state]}.`,

  // The gate
  "wrong-host": ({ host, hosts }: { host: string | null; hosts: string[] }) =>
    `This lab server answers to ${hosts.join(", ")} only, not to ${nameOf(host)}. Open the link that it printed when it started. Where a port is forwarded to it, start it with that address: npm start -- --origin ${plainOrigin(`http://${host}`)}`,
  "odd-address": ({ address, host }: { address: string; host: string }) =>
    `The address ${quotedWord(address)} is not in its plain form. Write it as in http://${host}/api/labs.`,
  "no-websocket-here": () => "A WebSocket can be opened at /ws only. With curl: leave --http2 away.",
  "foreign-origin": ({ origin }: { origin: string }) =>
    `A page from ${quotedWord(origin)} may not use this lab server. Only its own page may, and a shell. If this is its own page behind a forwarded port, start the lab server with that address: npm start -- --origin ${plainOrigin(origin)}`,
  "foreign-page": () =>
    "Another web page asked for this, and other pages may not. Open the link that the lab server printed.",
  "token-missing": (token: Token) => `This needs the token. ${tokenHelp(token)}`,
  "token-wrong": (token: Token) => `This token is not the right one. ${tokenHelp(token)}`,
  "too-many-wrong-tokens": ({ seconds, ...token }: Token & { seconds: number }) =>
    `Too many wrong tokens; you can try the next one in ${seconds} s. The right one works at any time. ${tokenHelp(token)}`,
  "too-many-pages": () => "Too many pages are open at this lab server. Close some, then load this one again.",
  "not-http": () => "This is not HTTP/1.1 as the lab server reads it.",
  "headers-too-long": ({ limit }: { limit: number }) =>
    `The headers are longer than the ${grouped(limit)} bytes that the lab server reads.`,
  "request-timed-out": () => "The request did not come to its end in time.",
  "server-mistake": ({ log }: { log?: string }) =>
    log === undefined
      ? "The lab server made a mistake of its own. Try again; your text is safe."
      : `The lab server made a mistake of its own; it wrote it down in ${log}. Try again; your text is safe.`,
};

/** An origin for a command to copy; an example where the caller's own is not a plain one. */
const plainOrigin = (text: string) =>
  /^https?:\/\/[\w.:[\]-]{1,60}$/.test(text) ? text : "http://localhost:8000";
const nameOf = (host: string | null) => (host === null ? "no name at all" : quotedWord(host));

function tokenHelp({ tokenFile, host, way }: Token): string {
  const where = `The token is in ${tokenFile}`;
  if (way === "websocket")
    return `${where}; a WebSocket carries it as the subprotocol "token.<token>" beside "lab.v1".`;
  return `${where}: curl -H "Authorization: Bearer $(cat ${shellWord(tokenFile)})" http://${host}/api/labs`;
}

/** One word for a shell, whatever is in it: a home folder may have a space or a quote in its name. */
function shellWord(text: string): string {
  return /^[\w/.+@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
