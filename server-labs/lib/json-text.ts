// JSON text. JSON as any program reads it, in which a terminal that prints it finds nothing to obey: JSON.stringify writes
// ESC as \u001b, but the control characters above 0x7e, and those that turn the direction of words, as they are.

const obeyed = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** @param space the indentation, as for JSON.stringify */
export function jsonText(value: unknown, space?: number): string {
  const text = JSON.stringify(value, null, space);
  return text.replace(obeyed, one => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
