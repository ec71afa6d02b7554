// What a run leaves to others: which process tree it is, what is made of what that tree does, and how its end is said.
// A run knows when each of these is to happen; a part (program.ts, checker.ts) knows how.
import type { Launched } from "./launch.ts";
import type { Ending } from "./process-tree.ts";
import type { EventOf, RefusedReason, Sandbox } from "./protocol.ts";

/** What kind of process a run is: how it is started, and what is made of it. */
export interface Part {
  /** As one would type it: "server.ts 7890". */
  command: string;
  sandbox: Sandbox;
  /** Of a program: the ETag of the text that runs. */
  etag?: string;
  /** @throws Error with a sentence when there can be no tree */
  start(): Promise<Launched>;
  /** The tree lives: talk to it. */
  attach(tree: Launched): void;
  /** It has been asked to end. */
  terminating?(): void;
  /** The tree is gone and all that it printed is in the log: give out the rest, and say how it ended. */
  finish(end: HowItEnded): Promise<{ ending: Ending; sentence: string }>;
  /** Always the last that is called, also when there never was a tree. */
  dispose(): Promise<void>;
}

export interface HowItEnded {
  ending: Ending;
  /** Somebody asked for it. */
  stopped: boolean;
  /** SIGTERM was not enough. */
  killed: boolean;
  /** The end of what it printed on stderr. */
  lastWords: string;
}

export interface Refusal {
  reason: RefusedReason;
  sentence: string;
  line?: number;
  column?: number;
  holder?: EventOf<"refused">["holder"];
  freePort?: number;
}
