// Browser storage. Text, records and messages between tabs; each lives in this page's memory where the browser forbids it.
// With all cookies blocked even the getter `window.localStorage` throws: a page that touched it unguarded stayed blank.
import { get, createStore as openDatabase, set } from "idb-keyval";

/** Texts by key. No method throws. */
export interface TextStorage {
  get(key: string): string | null;
  set(key: string, text: string): void;
  remove(key: string): void;
}

/**
 * Guards an area of the browser's storage.
 * @param area gets the area; may throw or return undefined
 * @returns a storage that holds in memory what the area does not accept (forbidden, full)
 */
export function guardStorage(area: () => Storage | undefined): TextStorage {
  const memory = new Map<string, string>();
  const attempt = <T>(action: (storage: Storage) => T, otherwise: T): T => {
    try {
      const storage = area();
      return storage ? action(storage) : otherwise;
    } catch {
      return otherwise;
    }
  };
  const accepted = (action: (storage: Storage) => void) =>
    attempt(storage => {
      action(storage);
      return true;
    }, false);
  return {
    get: key => memory.get(key) ?? attempt(storage => storage.getItem(key), null),
    set(key, text) {
      if (accepted(storage => storage.setItem(key, text))) memory.delete(key);
      else memory.set(key, text);
    },
    remove(key) {
      memory.delete(key);
      accepted(storage => storage.removeItem(key));
    },
  };
}

/** @returns whether the area accepts a text: the browser may forbid it, or it may be full */
export function isKept(area: () => Storage | undefined): boolean {
  const probe = "workbook.probe";
  try {
    area()!.setItem(probe, "kept");
    area()!.removeItem(probe);
    return true;
  } catch {
    return false;
  }
}

const localArea = () => globalThis.window?.localStorage;

/** Shared by all tabs, kept for good. */
export const local = guardStorage(localArea);

/** Whether `local` is kept at all, or forgotten with the page. */
export const isLocalKept = (): boolean => isKept(localArea);

/** Of this tab alone, kept until it is closed. */
export const session = guardStorage(() => globalThis.window?.sessionStorage);

/**
 * Calls back when another tab has changed a key of `local`.
 * @returns a function that ends it
 */
export function onLocalChange(key: string, listener: () => void): () => void {
  // A null key: another tab has cleared the whole storage.
  const hear = (event: StorageEvent) => {
    if (event.key === key || event.key === null) listener();
  };
  window.addEventListener("storage", hear);
  return () => window.removeEventListener("storage", hear);
}

/** Records by key. No promise rejects. */
export interface RecordStorage<T> {
  get(key: string): Promise<T | undefined>;
  set(key: string, record: T): Promise<void>;
}

/** Opens a database of records; what IndexedDB does not accept is held in memory. */
export function openRecords<T>(name: string, table: string): RecordStorage<T> {
  const memory = new Map<string, T>();
  let database: ReturnType<typeof openDatabase> | undefined;
  const opened = () => {
    database ??= openDatabase(name, table);
    return database;
  };
  // Each method is async, because `indexedDB` throws at once where it is forbidden, before there is a promise.
  return {
    async get(key) {
      if (memory.has(key)) return memory.get(key);
      try {
        return await get<T>(key, opened());
      } catch {
        return undefined;
      }
    },
    async set(key, record) {
      try {
        await set(key, record, opened());
        memory.delete(key);
      } catch {
        memory.set(key, record);
      }
    },
  };
}

/** Carries messages to the same page in other tabs, and theirs to this one. */
export type Channel = Pick<BroadcastChannel, "postMessage" | "addEventListener">;

/** Opens a channel, or null where the browser has none. */
export function openChannel(name: string): Channel | null {
  try {
    return new BroadcastChannel(name);
  } catch {
    return null;
  }
}
