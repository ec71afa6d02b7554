// Grammar. Arbitraries for what clients say: the parts of an HTTP request that are odd and yet legal. RFC 9110, 5.5 and
// 5.6; RFC 9112, 3.
import fc from "fast-check";

/** One byte of this range, as a character. */
const byteOf = (min: number, max: number) => fc.integer({ min, max }).map(code => String.fromCharCode(code));
const text = (unit: fc.Arbitrary<string>, minLength: number, maxLength: number) =>
  fc.array(unit, { minLength, maxLength, size: "max" }).map(units => units.join(""));

/** Visible ASCII, without characters that a lab gives a meaning to. */
export const visibleAscii = (minLength: number, maxLength: number, without = ""): fc.Arbitrary<string> =>
  text(
    byteOf(0x21, 0x7e).filter(char => !without.includes(char)),
    minLength,
    maxLength,
  );

/** Visible characters that a request target must not have, or that begin a fragment. RFC 3986, 2; %, which needs two digits. */
export const notInTargets = '"<>\\^`{|}#%';

/** Letters and digits, which need no quotes anywhere. */
export const word = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  text(fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz0123456789"), minLength, maxLength);

/** Any bytes, one character for each. */
export const anyBytes = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  text(byteOf(0, 255), minLength, maxLength);

/** Bytes of text in UTF-8: of one, two, three and four bytes a character. */
export const utf8 = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  text(
    fc.oneof(byteOf(0x21, 0x7e), fc.constantFrom(..."éàüßжñ茶小明你好🦊🍵ｶ\u2028\u00a0\u0301")),
    minLength,
    maxLength,
  ).map(characters => Buffer.from(characters).toString("latin1"));

// RFC 9110, 5.6.2 allows more; a server that refuses the rest breaks no promise of a lab.
const token = text(fc.constantFrom(..."abcxyzABCXYZ-"), 1, 12);
/**
 * A field value: its first and last byte are no white space.
 * @param opaque it may have bytes from 80 on, which have no meaning: a server that need not expect them may refuse them
 */
export const fieldValue = (maxLength: number, opaque = false): fc.Arbitrary<string> =>
  fc
    .oneof(
      text(
        fc.oneof(
          { arbitrary: byteOf(0x21, 0x7e), weight: 6 },
          { arbitrary: fc.constantFrom(" ", "\t"), weight: 1 },
          ...(opaque ? [{ arbitrary: byteOf(0x80, 0xff), weight: 1 }] : []),
        ),
        0,
        maxLength,
      ),
      fc.constantFrom("GET /secret HTTP/1.1", "\\r\\n\\r\\n", "%0d%0a%0d%0a", "$&$`$1", '"', "{}", "Host: b"),
    )
    .map(value => value.replace(/^[ \t]+|[ \t]+$/g, ""));

/** Fields that no lab asks about, each a whole line: an X- before each name keeps them apart from those that matter. */
export const fields = (most = 4, { length = 40, opaque = false } = {}): fc.Arbitrary<string> =>
  fc
    .array(
      fc
        .tuple(token, fc.constantFrom(" ", "", "\t", "  "), fieldValue(length, opaque))
        .map(([name, space, value]) => `X-${name}:${space}${value}\r\n`),
      { maxLength: most, size: "max" },
    )
    .map(lines => lines.join(""));

/** Visible ASCII of any length, cheap to generate: a few characters, again and again. */
export const longText = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc
    .tuple(visibleAscii(3, 7, notInTargets), fc.integer({ min: minLength, max: maxLength }))
    .map(([unit, length]) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length));
