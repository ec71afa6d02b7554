// What a program's output may not do to the page: write to the clipboard, make links or titles, recolour the
// terminal, hide everything on a second screen, or take the mouse away from selecting. The words themselves stay.
import type { Terminal } from "@xterm/xterm";

/** OSC: titles, colours, working folder, links, notifications, clipboard, resets of colours, shell marks, images. */
const commands = [
  0, 1, 2, 4, 5, 7, 8, 9, 10, 11, 12, 17, 19, 52, 104, 105, 110, 111, 112, 117, 119, 133, 633, 777, 1337,
];
/** DEC modes: the mouse in all its forms, focus reports, second screens, the cursor, pasting. */
const modes = new Set([
  9, 25, 47, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 1047, 1048, 1049, 2004,
]);

/** Takes those powers from a terminal. */
export function swallow({ parser }: Terminal): void {
  for (const command of commands) parser.registerOscHandler(command, () => true);
  for (const final of ["h", "l"]) {
    parser.registerCsiHandler({ prefix: "?", final }, params => params.some(mode => modes.has(Number(mode))));
  }
  // Every DCS that xterm would otherwise act on or answer: status requests, and keys of other terminals.
  for (const id of [
    { intermediates: "$", final: "q" },
    { intermediates: "+", final: "q" },
    { final: "q" },
    { final: "|" },
    { final: "{" },
  ]) {
    parser.registerDcsHandler(id, () => true);
  }
  parser.registerCsiHandler({ final: "t" }, () => true);
}
