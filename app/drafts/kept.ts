// What a draft needs of the world around it; a test gives its own.
import type { Problem } from "../../server-labs/protocol.ts";
import type { Conflict, FileText } from "../labs.ts";

/** What the workspace's file was when this text was begun; etag null: never seen, the text is the book's starter. */
export interface Base {
  text: string;
  etag: string | null;
}

/** A draft in IndexedDB, under "<lab>/<file>". */
export interface Kept {
  text: string;
  base: Base | null;
  setAside?: string | null;
  /** Unix time in milliseconds. */
  at: number;
}

export interface Surroundings {
  read(lab: string, file: string): Promise<FileText | Problem>;
  save(lab: string, file: string, text: string, etag: string): Promise<{ etag: string } | Conflict | Problem>;
  /** Never rejects: a browser without storage (private windows) still edits. */
  keep: { get(key: string): Promise<Kept | undefined>; set(key: string, kept: Kept): Promise<void> };
  /** Tells the other tabs. */
  tell(word: Word): void;
}

/** What a tab says to the others when it typed or saved. */
export interface Word {
  key: string;
  text: string;
  base: Base | null;
}
