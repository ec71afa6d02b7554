// Commands. What a command that a lesson, a hint, a failure or the page offers to copy must have: a limit of its time.
// A server that a student writes may never answer, and then the reader's shell hangs.

/** What may wait for a server of this machine without end. */
const waiting: readonly RegExp[] = [
  /\bcurl\b[^|;&\n]*(127\.0\.0\.1|localhost|::1|\$url)[^|;&\n]*/g,
  /\b(nc|ncat|telnet|socat)\b [^|;&\n]*/g,
  // A program given on the command line may open a socket: only a limit says that it ends.
  /\bnode (-e|--eval)\b[^\n]*/g,
  // bash reads from a descriptor that it has opened, or from its own /dev/tcp.
  /\b(cat|head|tail|read|mapfile|dd|wc|od)\b[^|;&<>\n]*<(&|\/dev\/tcp\/)[^|;\n]*/g,
];
const ownLimit = /^curl\b.* (--max-time|-m) ?\d|^read\b.* -\w*t ?[\d.]+/;
const underTimeout = /\btimeout (-[sk] \w+ )*[\d.]+ $/;

/** What to do about a command that has none. */
export const limitAdvice = "give it a limit: curl --max-time 5, read -t 5, or timeout 5 in front";

/**
 * Finds a command that may wait for ever: it talks to a server of this machine, and has no time limit. Its own option
 * is one (`curl --max-time 5`, `read -t 5`), `timeout 5` in front is one, in front of the `bash -c` around it, too.
 * @param text one or more commands of a shell; lines that end in \ go on
 * @returns the beginning of that command as it is in the text; null: no command is like that
 */
export function commandWithoutLimit(text: string): string | null {
  const joined = text.replace(/\\\n/g, "  ");
  for (const pattern of waiting)
    for (const { 0: command, index } of joined.matchAll(pattern)) {
      const before = joined.slice(0, index);
      const shell = before.lastIndexOf("bash -c");
      const limited =
        ownLimit.test(command) ||
        underTimeout.test(before) ||
        (shell !== -1 && underTimeout.test(before.slice(0, shell)));
      if (!limited) return command.trim().slice(0, 40);
    }
  return null;
}
