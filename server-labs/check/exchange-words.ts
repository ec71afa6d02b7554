// What is said of an exchange that went wrong, for somebody who wants to learn from it: what is missing, where the
// first wrong octet stands, and the same exchange for a shell.
import type { Client } from "./client.ts";
import type { Answer, Fault, More } from "./http.ts";
import { count, grouped, quoted } from "./journal.ts";

/** An answer did not come, or not whole, or what came is none. @param which "the answer", "answer 2 of 3" */
export function missing(client: Client, which: string, seen: Fault | More | null): string {
  if (seen && "fault" in seen) {
    const at = grouped(client.taken + seen.at);
    return `${which} is wrong at octet ${at} of what came: ${seen.fault} should stand there, and it is ${seen.found}.`;
  }
  const { state, trouble } = client;
  if (seen === null || client.left.length === 0) {
    if (state === "ended") return `the server closed the connection, and ${which} had not come.`;
    if (state === "broken")
      return `the server broke the connection off (${trouble}), and ${which} had not come.`;
    return `${which} did not come.`;
  }
  const part = `only a part of ${which} came: ${seen.has}`;
  if (state === "ended") return `${part}; then the server closed the connection.`;
  if (state === "broken") return `${part}; then the connection was broken off (${trouble}).`;
  return `${part}.`;
}

/** How long the answers were that came before: where the next one must begin is decided by them. */
export function before(answers: readonly Answer[]): string | null {
  const last = answers.at(-1);
  const length = last?.fields.get("content-length");
  if (!last || length === undefined) return null;
  const end = answers.reduce((sum, answer) => sum + answer.length, 0);
  return `answer ${answers.length} says Content-Length: ${length}, and so ends at octet ${grouped(end)}`;
}

/** Octets around the place where two texts part, in front of it and behind. */
const around = { before: 12, behind: 28 } as const;

/** A body is not what it should be: from which octet on, and what stands there instead. */
export function difference(
  came: Buffer,
  wanted: Buffer,
  which: string,
): { summary: string; expected: string; actual: string } {
  let at = 0;
  while (at < came.length && at < wanted.length && came[at] === wanted[at]) at++;
  const [has, should] = [count(came.length, "octet"), grouped(wanted.length)];
  const summary =
    at === came.length
      ? `the body of ${which} ends too early: it has ${has} of ${should}.`
      : at === wanted.length
        ? `the body of ${which} is longer than what was asked for: it has ${has} instead of ${should}.`
        : `the body of ${which} differs from octet ${grouped(at)} on (the first is octet 0)${came.length === wanted.length ? "" : `, and has ${has} instead of ${should}`}.`;
  return { summary, expected: excerpt(wanted, at), actual: excerpt(came, at) };
}

function excerpt(octets: Buffer, at: number): string {
  const from = Math.max(0, at - around.before);
  const to = Math.min(octets.length, at + around.behind);
  const place = from > 0 || to < octets.length ? ` (octets ${grouped(from)} to ${grouped(to)})` : "";
  return `${from > 0 ? "… " : ""}${quoted(octets.subarray(from, to))}${to < octets.length ? " …" : ""}${place}`;
}

/** What came, as far as a person will read it: of a long answer its head. */
export function came(octets: Buffer): string {
  if (octets.length === 0) return "nothing";
  const head = octets.indexOf("\r\n\r\n") + 4;
  if (octets.length <= 1000 || head > 500) return quoted(octets, 400);
  return `${quoted(octets.subarray(0, head), 400)} and ${count(octets.length - head, "octet")} behind it`;
}

/**
 * The same for a shell, if it is something that a person would type. Bash opens the connection itself; its own
 * printf would make one write of each line, and so cut what the check has sent in one piece.
 */
export function commandFor(pieces: readonly string[]): string | undefined {
  const all = pieces.join("");
  if (all === "" || pieces.length > 4 || all.length > 400) return undefined;
  const words = pieces.map(piece => `env printf "${escaped(piece)}" >&3`).join("; sleep 0.2; ");
  return `bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; ${words}; timeout 2 cat <&3'`;
}

/** For printf, in double quotes, in single quotes: what any of them reads as something else is an octal number. */
function escaped(text: string): string {
  return text.replace(/[^ -~]|["'\\%$`]/g, char => {
    if (char === "\r") return "\\r";
    if (char === "\n") return "\\n";
    if (char === "%") return "%%";
    return `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`;
  });
}
