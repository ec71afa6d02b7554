// Kinds. The kinds of visits as the page names and explains them.
import { slowReader, type VisitKind, visitDefaults } from "../../../../server-labs/protocol.ts";

export interface Kind {
  kind: VisitKind;
  /** For a menu. */
  name: string;
  /** What it is good for, in half a sentence. */
  why: string;
}

/** In the order in which a student meets them. */
export const kinds: readonly Kind[] = [
  { kind: "get", name: "One GET", why: "asks once, and leaves with the answer" },
  { kind: "silent", name: "A silent client", why: "connects and says nothing: does the server wait for it?" },
  {
    kind: "split",
    name: "A request in two pieces",
    why: "the second comes when the server has read the first: TCP is a stream",
  },
  { kind: "drip", name: "A request byte by byte", why: "as slow as a request can come" },
  {
    kind: "pipeline",
    name: `${visitDefaults.pipeline.count} requests at once`,
    why: "on one connection, without waiting for an answer",
  },
  {
    kind: "slow-reader",
    name: "A slow reader",
    why: `takes ${slowReader.bytes} bytes now and then: send() will not take all`,
  },
  { kind: "half-close", name: "A half-close", why: "asks, ends its half (FIN), and reads on" },
  { kind: "reset", name: "A reset", why: "asks, and cuts the connection off (RST)" },
  { kind: "burst", name: `A burst of ${visitDefaults.burst.count}`, why: "all send in the same moment" },
  {
    kind: "idle",
    name: `${visitDefaults.idle.count} idle connections`,
    why: "hold a descriptor each, and say nothing",
  },
  { kind: "raw", name: "What you type", why: "byte for byte; the connection stays open" },
];
