// Palette. The tokens of style/tokens.css, computed for the theme in force, as #rrggbb for Monaco and xterm.
// Neither parses oklch() or light-dark(): a pixel of a canvas gives the colour.

const tokens = [
  "paper",
  "desk",
  "raised",
  "rule",
  "ink",
  "ink-2",
  "ink-3",
  "accent",
  "accent-wash",
  "ready",
  "waiting",
  "failed",
] as const;

export type ColourToken = (typeof tokens)[number];
export type Palette = Record<ColourToken, string> & { dark: boolean };

/** The colours in force now. */
export function readPalette(): Palette {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.cssText = "position:absolute;visibility:hidden";
  const hex = (token: ColourToken) => {
    probe.style.color = `var(--${token})`;
    context.fillStyle = getComputedStyle(probe).color;
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
    return `#${[red!, green!, blue!].map(value => value.toString(16).padStart(2, "0")).join("")}`;
  };
  const palette = Object.fromEntries(tokens.map(token => [token, hex(token)])) as Record<ColourToken, string>;
  probe.remove();
  return { ...palette, dark: luminance(palette.raised) < 0.5 };
}

/** Calls back when the theme may have changed: by the system, or by the page's own switch. */
export function onPaletteChange(listener: () => void): () => void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = new MutationObserver(listener);
  root.observe(document.documentElement, { attributeFilter: ["data-theme", "class", "style"] });
  system.addEventListener("change", listener);
  return () => {
    root.disconnect();
    system.removeEventListener("change", listener);
  };
}

function luminance(hex: string) {
  const value = Number.parseInt(hex.slice(1), 16);
  return (0.2126 * (value >> 16) + 0.7152 * ((value >> 8) & 255) + 0.0722 * (value & 255)) / 255;
}

/** Resolves when the code face is there to be measured; both Monaco and xterm measure a cell once, before any text. */
export async function codeFont(): Promise<string> {
  const family =
    getComputedStyle(document.documentElement).getPropertyValue("--font-code").trim() || "monospace";
  const first = family.split(",")[0]!;
  // A face that cannot be had is no reason to show nothing: the stack's next one is measured then.
  await Promise.all([400, 600].map(weight => document.fonts.load(`${weight} 13px ${first}`))).catch(() => {});
  return family;
}
