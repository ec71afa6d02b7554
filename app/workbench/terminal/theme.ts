// Terminal theme. Sixteen colours from the page's: red = failed, green = ready, yellow = waiting, blue = accent.
import type { ITheme } from "@xterm/xterm";
import type { Palette } from "../palette.ts";

/** Colour of the 256 that words on stderr are written in: a pale red that few programs ask for by number. */
export const stderrColour = 217;

/** The tokens in force, as xterm wants them. */
export function xtermTheme(palette: Palette): ITheme {
  const extendedAnsi: string[] = [];
  // Sixteen named colours come first; the sparse rest keeps xterm's own.
  extendedAnsi[stderrColour - 16] = mix(palette.ink, palette.failed, 0.55);
  const mauve = mix(palette.accent, palette.failed, 0.5);
  return {
    background: palette.desk,
    foreground: palette.ink,
    cursor: palette.desk,
    cursorAccent: palette.desk,
    selectionBackground: `${palette.accent}40`,
    selectionInactiveBackground: `${palette.accent}28`,
    scrollbarSliderBackground: `${palette["ink-3"]}40`,
    scrollbarSliderHoverBackground: `${palette["ink-3"]}60`,
    scrollbarSliderActiveBackground: `${palette["ink-3"]}80`,
    black: palette["ink-3"],
    red: palette.failed,
    green: palette.ready,
    yellow: palette.waiting,
    blue: palette.accent,
    magenta: mauve,
    cyan: palette.accent,
    white: palette.ink,
    brightBlack: palette["ink-3"],
    brightRed: palette.failed,
    brightGreen: palette.ready,
    brightYellow: palette.waiting,
    brightBlue: palette.accent,
    brightMagenta: mauve,
    brightCyan: palette.accent,
    brightWhite: palette.ink,
    extendedAnsi,
  };
}

/** `share` of b in a, as #rrggbb. */
function mix(a: string, b: string, share: number) {
  const channel = (hex: string, at: number) => Number.parseInt(hex.slice(at, at + 2), 16);
  return `#${[1, 3, 5]
    .map(at => Math.round(channel(a, at) * (1 - share) + channel(b, at) * share))
    .map(value => value.toString(16).padStart(2, "0"))
    .join("")}`;
}
