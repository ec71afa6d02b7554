// Draft state. A pure reducer: state × event → state + effects, for one file of the student's in one tab.
// Two tabs once reverted each other's text and then each left the saving to the other; here a text has a revision, which
// names the tab that typed it, and a tab follows another tab only while it has no text of its own that the other lacks.
import type { Problem } from "../../server-labs/protocol.ts";
import type { Conflict, FileText } from "../labs.ts";

/** Milliseconds from the last change to a write, and from a failed save to the next try. */
export const delays = { persist: 150, save: 500, retry: 5000, takeOver: 20_000 } as const;

/** edited: not in the workspace yet · unsaved: it could not be saved, see `problem` */
export type DraftStatus = "saved" | "edited" | "saving" | "unsaved" | "conflict";

/** What the page shows of a draft. */
export interface DraftView {
  /** False until there is a text to edit. */
  loaded: boolean;
  text: string;
  status: DraftStatus;
  /** Why the text is not saved, in a sentence; the text is safe in this browser. */
  problem: string | null;
  /** The file was changed outside while this text was being edited: both, until the student chooses. */
  conflict: { mine: string; theirs: string; etag: string } | null;
  /** A text that the student set aside (took theirs, reset): the student can restore it. */
  setAside: string | null;
}

/** What the workspace's file was when this text was started; etag null: not read yet, the text is the book's starter. */
export interface Base {
  text: string;
  etag: string | null;
}

/** Names a text: the n-th that was typed in a tab. */
export interface Revision {
  tab: string;
  n: number;
  /** The n of the tab's first text that this one was typed on from without another tab's or the file's between them. */
  line: number;
}

/** A draft in IndexedDB, under "<lab>/<file>". */
export interface DraftRecord {
  text: string;
  base: Base | null;
  revision?: Revision | null;
  setAside?: string | null;
  /** Unix time in milliseconds. */
  at: number;
}

/** What a tab broadcasts: a text that was typed in it, or, when text and base.text are equal, that the file is now this. */
export interface DraftMessage {
  revision: Revision;
  /** The other tab's text that this one was typed on from. */
  parent: Revision | null;
  text: string;
  base: Base | null;
}

export interface DraftState extends DraftView {
  readonly tab: string;
  base: Base | null;
  /** Of the present text; null: it came from the workspace, or from before this page. */
  revision: Revision | null;
  parent: Revision | null;
  /** How many revisions this tab has made. */
  made: number;
  /** The text was typed in another tab, which saves it; this one does so when that tab is silent for `delays.takeOver`. */
  mirror: boolean;
  /** Tab → the newest of its revisions that was received. */
  received: Readonly<Record<string, number>>;
  /** The save whose answer is awaited. */
  put: { id: number; text: string; revision: Revision } | null;
  /** The read whose answer is awaited; older ones do not count. `overtaken`: the file was saved after it was asked. */
  read: { id: number; overtaken: boolean } | null;
  asked: number;
  /** The newest ETag that was heard of while a save was on its way. */
  announced: string | null;
  closed: boolean;
}

export const emptyView: DraftView = {
  loaded: false,
  text: "",
  status: "saved",
  problem: null,
  conflict: null,
  setAside: null,
};

/** @param tab a name that no other draft has, in this tab or another */
export function initialState(tab: string): DraftState {
  return {
    ...emptyView,
    tab,
    base: null,
    revision: null,
    parent: null,
    made: 0,
    mirror: false,
    received: {},
    put: null,
    read: null,
    asked: 0,
    announced: null,
    closed: false,
  };
}

export type DraftEvent =
  /** IndexedDB has this record, or none. */
  | { type: "recalled"; record: DraftRecord | undefined }
  /** Neither browser nor workspace has a text: this is the lab's first one. */
  | { type: "starter"; text: string }
  | { type: "typed"; text: string }
  | { type: "restored" }
  /** Run, Check, blur, or the save timer. */
  | { type: "save" }
  | { type: "saveTimer" }
  | { type: "persistTimer" }
  | { type: "putAnswered"; id: number; answer: { etag: string } | Conflict | Problem }
  | { type: "refresh" }
  /** The lab server announced a new ETag of the file. */
  | { type: "fileChanged"; etag: string }
  | { type: "readAnswered"; id: number; answer: FileText | Problem }
  | { type: "received"; message: DraftMessage }
  | { type: "chosen"; which: "mine" | "theirs" }
  /** The workspace's file was put back to this, its starter. */
  | { type: "reset"; file: FileText }
  /** The page may be frozen or closed: the last chance to write. */
  | { type: "hidden" }
  | { type: "closed" };

export type Effect =
  | { do: "persist"; record: Omit<DraftRecord, "at"> }
  | { do: "put"; id: number; text: string; etag: string }
  | { do: "read"; id: number }
  | { do: "broadcast"; message: DraftMessage }
  | { do: "start"; timer: "persist" | "save"; ms: number }
  | { do: "stop"; timer: "persist" | "save" };

/** A new state, and what the shell does about it, in this order. */
export type DraftStep = readonly [DraftState, readonly Effect[]];

type Transition<T extends DraftEvent["type"]> = (
  state: DraftState,
  event: Extract<DraftEvent, { type: T }>,
) => DraftStep;

/**
 * The table. Rows are events, columns are what the text is to this tab; "=" changes nothing.
 *
 * | event        | no text | saved        | edited, unsaved  | saving        | conflict      | mirror            |
 * |--------------|---------|--------------|------------------|---------------|---------------|-------------------|
 * | recalled     | show    | =            | =                | =             | =             | =                 |
 * | typed        | edited  | edited       | edited           | save again    | conflict      | edited, its child |
 * | save         | =       | =            | put              | =             | =             | =                 |
 * | saveTimer    | =       | =            | put              | =             | =             | take over: put    |
 * | putAnswered  | =       | broadcast    | =                | saved / retry | =             | broadcast         |
 * | readAnswered | show    | show         | resolveConflict  | wait for put  | resolve again | only if equal     |
 * | received     | read    | follow, read | child: follow    | child: follow | child: follow | newer: follow     |
 * | chosen       | =       | =            | =                | =             | put / show    | =                 |
 * | reset        | show    | show         | set aside, show  | set aside     | set aside     | set aside         |
 * | hidden       | =       | =            | persist, put     | persist       | persist       | =                 |
 * | closed       | closed  | closed       | persist, put     | persist       | persist       | closed            |
 *
 * A closed draft has no transition at all: whatever comes, also the answer of a save, changes nothing.
 */
const transitions: { [T in DraftEvent["type"]]: Transition<T> } = {
  recalled(state, { record }) {
    if (state.loaded || !record) return [state, []];
    const { text, base, setAside = null, revision = null } = record;
    const status = text === base?.text ? "saved" : "edited";
    return [{ ...state, loaded: true, text, base, setAside, revision, status }, []];
  },

  starter(state, { text }) {
    if (state.loaded) return [state, []];
    return [{ ...state, loaded: true, text, base: { text, etag: null } }, []];
  },

  typed(state, { text }) {
    return text === state.text ? [state, []] : type(state, text);
  },

  restored(state) {
    const { setAside, text } = state;
    return setAside === null ? [state, []] : type({ ...state, setAside: text }, setAside);
  },

  save: state => (state.mirror ? [state, []] : save(state)),

  saveTimer(state) {
    if (!state.mirror) return save(state);
    // The tab that typed is silent: it was closed or has crashed. Its text is also saved with If-Match.
    return chain(persist({ ...state, mirror: false }), save);
  },

  persistTimer: persist,

  putAnswered(state, { id, answer }) {
    if (state.put?.id !== id) return read(state);
    const { text, revision } = state.put;
    const now: DraftState = { ...state, put: null };
    if ("etag" in answer) return chain(putSucceeded(now, text, revision, answer.etag), readAnnounced);
    if ("conflict" in answer) {
      const step = resolveConflict({ ...now, mirror: false }, answer.conflict);
      return chain(step, next => (isSavable(next) ? save(next) : [next, []]));
    }
    if (!isDirty(now)) return readAnnounced({ ...now, status: "saved" });
    const ms = now.mirror ? delays.takeOver : delays.retry;
    const unsaved: DraftState = { ...now, status: "unsaved", problem: answer.problem };
    return chain([unsaved, [start("save", ms)]], readAnnounced);
  },

  refresh: read,

  fileChanged(state, { etag }) {
    if (state.put) return [{ ...state, announced: etag }, []];
    return state.base?.etag === etag ? [state, []] : read(state);
  },

  readAnswered(state, { id, answer }) {
    if (state.read?.id !== id) return [state, []];
    const { overtaken } = state.read;
    const now: DraftState = { ...state, read: null };
    if ("problem" in answer) {
      if (now.status === "saved" || now.status === "conflict" || now.put) return [now, []];
      const unsaved: DraftState = { ...now, status: "unsaved", problem: answer.problem };
      return unsaved.base?.etag || unsaved.mirror ? [unsaved, []] : [unsaved, [start("save", delays.retry)]];
    }
    // The answer of the save, which is on its way, decides; what is read now may be from before or after it.
    if (now.put) return [{ ...now, announced: answer.etag }, []];
    if (overtaken && answer.etag !== now.base?.etag) return read(now);
    return resolveConflict(now, answer);
  },

  received(state, { message }) {
    const { tab, n } = message.revision;
    if (tab !== state.tab && n < (state.received[tab] ?? 0) && !isReport(message)) return [state, []];
    const newest = Math.max(n, state.received[tab] ?? 0);
    const now = { ...state, received: { ...state.received, [tab]: newest } };
    if (!now.loaded || !isDirty(now)) return receiveClean(now, message);
    return now.mirror ? receiveAsMirror(now, message) : receiveAsAuthor(now, message);
  },

  chosen(state, { which }) {
    const { conflict, text } = state;
    if (!conflict) return [state, []];
    const base = { text: conflict.theirs, etag: conflict.etag };
    if (which === "mine") {
      const mine: DraftState = {
        ...state,
        base,
        conflict: null,
        status: "edited",
        setAside: conflict.theirs,
      };
      return chain(persist(mine), save);
    }
    return replace({ ...state, base, setAside: text });
  },

  reset(state, { file }) {
    const setAside = state.text === file.text ? state.setAside : state.text;
    return replace({ ...state, base: file, setAside, put: null });
  },

  hidden(state) {
    if (!state.loaded || state.mirror || !isDirty(state)) return [state, []];
    return chain(persist(state), now => (now.status === "edited" ? save(now) : [now, []]));
  },

  closed(state) {
    const [now, effects] = transitions.hidden(state, { type: "hidden" });
    // Nothing that is not written now is written later.
    const last = effects.filter(effect => effect.do === "persist" || effect.do === "put");
    return [{ ...now, closed: true }, [...last, stop("save"), stop("persist")]];
  },
};

/** The only way to change a draft. */
export function reduce(state: DraftState, event: DraftEvent): DraftStep {
  if (state.closed) return [state, []];
  return (transitions[event.type] as (state: DraftState, event: DraftEvent) => DraftStep)(state, event);
}

const stop = (timer: "persist" | "save"): Effect => ({ do: "stop", timer });
const start = (timer: "persist" | "save", ms: number): Effect => ({ do: "start", timer, ms });

function chain([state, effects]: DraftStep, next: (state: DraftState) => DraftStep): DraftStep {
  const [after, more] = next(state);
  return [after, [...effects, ...more]];
}

/** Whether the text is not the workspace's. */
const isDirty = ({ text, base, put }: DraftState) => text !== base?.text || put !== null;

/** Whether a save could be sent now. */
const isSavable = (state: DraftState) => state.loaded && !state.put && !state.conflict && isDirty(state);

/** Whether a message says that the file is now its text. */
const isReport = ({ text, base }: DraftMessage) => base?.etag != null && text === base.text;

/** Makes this tab's next revision. */
function revise(state: DraftState): DraftState {
  const { revision, tab } = state;
  const n = state.made + 1;
  if (revision?.tab === tab) return { ...state, made: n, revision: { tab, n, line: revision.line } };
  return { ...state, made: n, revision: { tab, n, line: n }, parent: revision };
}

/** The student's hand: the text is this tab's from now on. */
function type(state: DraftState, text: string): DraftStep {
  const now: DraftState = {
    ...revise(state),
    loaded: true,
    text,
    mirror: false,
    conflict: state.conflict && { ...state.conflict, mine: text },
    status: state.conflict ? "conflict" : "edited",
  };
  return [now, [broadcast(now), start("persist", delays.persist), start("save", delays.save)]];
}

/** The file's text is put in place of the student's, who chose so; tabs that mirror this one follow. */
function replace(state: DraftState): DraftStep {
  const replaced: DraftState = { ...revise(state), text: state.base!.text };
  const effects = [broadcast(replaced), stop("save")];
  return chain([settle({ ...replaced, loaded: true }), effects], persist);
}

/** The text is the file's: nothing is left to save, choose, or mirror. */
function settle(state: DraftState): DraftState {
  return {
    ...state,
    status: "saved",
    problem: null,
    conflict: null,
    revision: null,
    parent: null,
    mirror: false,
    read: state.read && { ...state.read, overtaken: true },
  };
}

function broadcast({ revision, parent, text, base }: DraftState): Effect {
  return { do: "broadcast", message: { revision: revision!, parent, text, base } };
}

function persist(state: DraftState): DraftStep {
  if (!state.loaded) return [state, []];
  const { text, base, revision, setAside } = state;
  return [state, [stop("persist"), { do: "persist", record: { text, base, revision, setAside } }]];
}

function read(state: DraftState): DraftStep {
  const id = state.asked + 1;
  return [{ ...state, asked: id, read: { id, overtaken: false } }, [{ do: "read", id }]];
}

/** Reads the file if something was heard of it during the save that is not the result of the save. */
function readAnnounced(state: DraftState): DraftStep {
  const { announced } = state;
  const now = { ...state, announced: null };
  return announced !== null && announced !== state.base?.etag ? read(now) : [now, []];
}

function save(state: DraftState): DraftStep {
  if (!isSavable(state)) {
    // Typed back to what the file has.
    if (state.loaded && !state.put && !state.conflict)
      return chain([settle(state), [stop("save")]], state.status === "saved" ? none : persist);
    return [state, []];
  }
  const { text, base } = state;
  // Started without a lab server: first see what the file is.
  if (!base?.etag) return state.read ? [state, []] : chain([state, [stop("save")]], read);
  const id = state.asked + 1;
  // A text from before this page, which has no revision yet, gets one.
  const named = state.revision ? state : revise(state);
  const put = { id, text, revision: named.revision! };
  const now: DraftState = { ...named, asked: id, put, status: "saving" };
  return [now, [stop("save"), { do: "put", id, text, etag: base.etag }]];
}

const none = (state: DraftState): DraftStep => [state, []];

/** The file is now `text`, which the student may have typed on from meanwhile: the saved text is broadcast. */
function putSucceeded(state: DraftState, text: string, revision: Revision, etag: string): DraftStep {
  const base = { text, etag };
  const told: Effect = { do: "broadcast", message: { revision, parent: null, text, base } };
  const now: DraftState = { ...state, base, read: state.read && { ...state.read, overtaken: true } };
  if (now.text === text) return chain([settle(now), [told, stop("save")]], persist);
  if (now.mirror) return [{ ...now, status: "edited" }, [told, start("save", delays.takeOver)]];
  // Once more: what is said to be saved is what is seen.
  return chain([{ ...now, problem: null }, [told]], save);
}

/** The workspace's file is this. */
function resolveConflict(state: DraftState, file: FileText): DraftStep {
  const { text, loaded, base } = state;
  if (!loaded || text === file.text || text === base?.text) {
    // Nothing of the student's is only here: show the file.
    const changed = !loaded || text !== file.text || base?.etag !== file.etag || state.status !== "saved";
    const settled = settle({ ...state, loaded: true, text: file.text, base: file });
    return chain([settled, [stop("save")]], changed ? persist : none);
  }
  if (file.text === base?.text) {
    // The file is what this text grew from.
    const ms = state.mirror ? delays.takeOver : delays.save;
    const now: DraftState = { ...state, base: file, status: "edited", conflict: null, problem: null };
    return [now, [start("save", ms)]];
  }
  // The tab that typed the text asks the student.
  if (state.mirror) return [state, []];
  const conflict = { mine: text, theirs: file.text, etag: file.etag };
  return [{ ...state, status: "conflict", conflict }, [stop("save")]];
}

/** Shows another tab's text and leaves the saving to that tab. */
function follow(state: DraftState, { revision, text, base }: DraftMessage): DraftStep {
  const shown: DraftState = {
    ...state,
    loaded: true,
    text,
    base,
    problem: null,
    conflict: null,
    parent: null,
  };
  if (text === base?.text) return chain([settle(shown), [stop("persist"), stop("save")]], read);
  const now: DraftState = { ...shown, revision, mirror: true, status: "edited" };
  return [now, [stop("persist"), start("save", delays.takeOver)]];
}

/** Received while the page has no text, or the text of the file. */
function receiveClean(state: DraftState, message: DraftMessage): DraftStep {
  if (message.text === state.base?.text) return [state, []];
  // Late, or about a file that this tab has not seen yet: the workspace knows.
  if (state.base?.etag !== message.base?.etag) return read(state);
  return follow(state, message);
}

/** Received while the text is another tab's. */
function receiveAsMirror(state: DraftState, message: DraftMessage): DraftStep {
  const mine = state.revision!;
  const { revision, parent } = message;
  const newer = revision.tab === mine.tab && revision.n >= mine.n;
  const child = parent?.tab === mine.tab && parent.n >= mine.n;
  if (newer || child) return follow(state, message);
  if (isReport(message)) {
    if (revision.tab === mine.tab) return [{ ...state, base: message.base }, []];
    if (message.base?.etag !== state.base?.etag) return read(state);
  }
  return [state, []];
}

/** Received while there is text of this tab that is not in the workspace: it is never given up for a text without it. */
function receiveAsAuthor(state: DraftState, message: DraftMessage): DraftStep {
  const { revision, parent, base } = message;
  const mine = state.revision;
  const same = mine !== null && isSame(revision, mine);
  // The other tab typed on from exactly this text: all that was typed here is in it.
  const child = mine !== null && isSame(parent, mine);
  if (child) return follow(state, message);
  if (same && !isReport(message)) return [state, []];
  if (isReport(message) && (same || isAncestor(state, revision))) return adoptBase(state, base!);
  // The tab that this text was recalled from types on.
  const recalled = mine !== null && mine.tab !== state.tab;
  if (recalled && mine.tab === revision.tab && mine.line === revision.line && revision.n > mine.n)
    return follow(state, message);
  if (!isReport(message) || base?.etag === state.base?.etag) return [state, []];
  // That tab now keeps its text, which is safe in the workspace, where this one's was kept.
  const kept = persist(state);
  if (state.put) return chain(kept, now => [{ ...now, announced: base!.etag }, []]);
  return chain(kept, read);
}

const isSame = (a: Revision | null, b: Revision) => a?.tab === b.tab && a.n === b.n;

/** Whether the present text was typed on from this revision. */
function isAncestor({ revision, parent }: DraftState, other: Revision): boolean {
  return [revision, parent].some(
    known => known?.tab === other.tab && known.line === other.line && other.n <= known.n,
  );
}

/** Another tab has saved this text, or one that it was typed on from: a save goes on from there. */
function adoptBase(state: DraftState, base: Base): DraftStep {
  const now: DraftState = { ...state, base, read: state.read && { ...state.read, overtaken: true } };
  if (now.put) return [now, []];
  if (now.text === base.text) return chain([settle(now), [stop("save")]], persist);
  const lifted = now.conflict === null || now.conflict.etag === base.etag;
  if (!lifted) return read(now);
  return [{ ...now, conflict: null, status: "edited" }, [start("save", delays.save)]];
}
