// Style parameters. The colours and styles (SGR) that a program may ask for. Conceal and blinking are not among them:
// words that cannot be read are no output.

/** A style that is on: SGR parameters, by the parameter that ends it. */
export type Style = Readonly<Partial<Record<Off, string>>>;
type Off = (typeof offs)[number];
const offs = ["22", "23", "24", "27", "29", "39", "49"] as const;

/** Parameter → the one that ends it. */
const named: Record<string, Off> = { 1: "22", 2: "22", 3: "23", 4: "24", 7: "27", 9: "29" };
for (let colour = 0; colour < 8; colour++) {
  for (const first of [30, 90]) named[first + colour] = "39";
  for (const first of [40, 100]) named[first + colour] = "49";
}

/**
 * The style after these parameters: "1;38;5;208".
 * @returns null when one of them is not known
 */
export function styled(style: Style, parameters: string): Style | null {
  const left = parameters.split(";").map(parameter => parameter.replace(/^0+(?=\d)/, "") || "0");
  let next: Partial<Record<Off, string>> = { ...style };
  for (let one = left.shift(); one !== undefined; one = left.shift()) {
    if (one === "0") next = {};
    else if ((offs as readonly string[]).includes(one)) delete next[one as Off];
    else if (one === "38" || one === "48") {
      const colour = colourOf(left);
      if (colour === null) return null;
      next[one === "38" ? "39" : "49"] = `${one};${colour}`;
    } else {
      const off = named[one];
      if (off === undefined) return null;
      next[off] = one;
    }
  }
  return next;
}

/** Takes "5;208" or "2;255;0;0" from the front of the list. @returns null for another form */
function colourOf(left: string[]): string | null {
  const form = left.shift();
  const wanted = form === "5" ? 1 : form === "2" ? 3 : 0;
  const numbers = left.splice(0, wanted);
  if (wanted === 0 || numbers.length < wanted || numbers.some(number => Number(number) > 255)) return null;
  return [form, ...numbers].join(";");
}

/** The parameters that switch this style on, from none: "1;31". @param tint the foreground where it has none of its own */
export function parametersOf(style: Style, tint = ""): string {
  const all = style["39"] || tint === "" ? style : { ...style, 39: tint };
  return Object.values(all).join(";");
}
