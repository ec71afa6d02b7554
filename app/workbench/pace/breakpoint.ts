// Breakpoint parser. A breakpoint is typed in the words of the filter, "recv EAGAIN fd:7", one of each kind at most.
import type { Breakpoint } from "../../../server-labs/protocol.ts";

/** @returns the breakpoint, or a sentence that says what is wrong with the words. */
export function parseBreakpoint(text: string): Breakpoint | string {
  const found: Breakpoint = {};
  for (const word of text.trim().split(/\s+/)) {
    const fd = /^fd:(\d{1,9})$/.exec(word)?.[1];
    const kind = fd !== undefined ? "fd" : /^E[A-Z0-9]+$/.test(word) ? "errno" : "name";
    if (word === "")
      return "Say where to stop: a call (recv), an error (EAGAIN), a descriptor (fd:7), or all three.";
    if (kind === "name" && !/^[a-z_0-9]{1,32}$/.test(word))
      return `“${word}” is no call, no error and no descriptor. Write them so: recv EAGAIN fd:7.`;
    if (kind in found) return `A breakpoint has one ${kind} at most. Add another one for “${word}”.`;
    Object.assign(found, { [kind]: kind === "fd" ? Number(fd) : word });
  }
  return found;
}

/** As it was typed: "recv EAGAIN fd:7". */
export const breakpointWords = ({ name, errno, fd }: Breakpoint): string =>
  [name, errno, fd === undefined ? undefined : `fd:${fd}`].filter(word => word !== undefined).join(" ");

export const sameBreakpoint = (a: Breakpoint, b: Breakpoint): boolean =>
  a.name === b.name && a.errno === b.errno && a.fd === b.fd;
