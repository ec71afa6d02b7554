// Source text. A source file between disk and JSON, byte for byte: CRLF, BOM and NUL survive the round trip, and a text
// that could not survive it is refused with a sentence instead of being mended.
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { limits } from "../protocol.ts";

/** The ETag of a content, in quotes as HTTP wants it. */
export function etagOf(bytes: Uint8Array): string {
  return `"${createHash("sha256").update(bytes).digest("base64url")}"`;
}

/** The ETag of a file that is not there: If-Match with it means "I know that there is no file". */
export const absent = '""';

/** A content is not a text that a lab may have. The message is a sentence that says why. */
export class UnfitText extends Error {
  override name = "UnfitText";
}

/** @throws UnfitText when the text has a lone surrogate, or is too long */
export function toBytes(text: string): Buffer {
  const half = /\p{Surrogate}/u.exec(text);
  if (half) {
    const line = text.slice(0, half.index).split("\n").length;
    throw new UnfitText(
      `The text has half a character (a lone surrogate) in line ${line}; UTF-8 cannot hold it. Remove it and save again.`,
    );
  }
  const bytes = Buffer.from(text);
  if (bytes.length > limits.fileBytes)
    throw new UnfitText(`The text has ${bytes.length} bytes; a lab's file may have ${limits.fileBytes}.`);
  return bytes;
}

/** @throws UnfitText when the bytes are not UTF-8: they could not be written back as they were */
export function toText(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const good = Buffer.from(Buffer.from(bytes).toString("utf8").split("\ufffd", 1)[0]!).length;
    throw new UnfitText(
      `${name} is not UTF-8 text: look at byte ${good}. Save it as UTF-8 with the editor that wrote it.`,
    );
  }
}

/**
 * The bytes of a source file.
 * @throws UnfitText when it is too long or not a regular file, else the file system's error
 */
export async function readBytes(path: string, name: string): Promise<{ bytes: Buffer; mode: number }> {
  // Without O_NONBLOCK a FIFO in the file's place would block the lab server until a process writes to it.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await handle.stat();
    if (stat.isDirectory())
      throw new UnfitText(
        `There is a folder where ${name} should be. Move ${path} away, then open the lab again.`,
      );
    if (!stat.isFile())
      throw new UnfitText(`${path} is not a regular file. Move it away, then open the lab again.`);
    if (stat.size > limits.fileBytes)
      throw new UnfitText(
        `${path} has ${stat.size} bytes; a lab's file may have ${limits.fileBytes}. Make it shorter.`,
      );
    return { bytes: await handle.readFile(), mode: stat.mode & 0o777 };
  } finally {
    await handle.close();
  }
}

/** If-Match, RFC 9110 section 13.1.1; quotes may be forgotten in a shell. */
export function matches(ifMatch: string, current: string): boolean {
  if (ifMatch.trim() === "*") return current !== absent;
  return ifMatch.split(",").some(tag => {
    const bare = tag.trim().replace(/^W\//, "");
    return bare === current || `"${bare}"` === current;
  });
}
