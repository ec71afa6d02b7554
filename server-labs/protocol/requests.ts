// Requests. What a page or a shell asks, over HTTP or /ws, with a schema for each.
// Requests come from outside: what does not fit its schema gets no further than http/.
import * as v from "valibot";
import { limits } from "./limits.ts";
import { paceBody, stepBody } from "./pace.ts";

const lab = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9-]*\/[a-z0-9][a-z0-9-]*$/, "a lab is <chapter>/<lesson>"),
);
const run = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9-]{1,64}$/, "a run is named by the id that starting it gave"),
);
const seq = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = v.pipe(v.string(), v.maxLength(limits.fileBytes, "the text is longer than a lab may be"));
const port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65535));

// Each field is a name of its own, for a reason: to spread `runBody.entries` into the request below would keep all of
// valibot in the page, which uses only the constants of this file.
const someText = v.optional(text);
const somePort = v.optional(port);
const someRun = v.optional(run);
const somePace = v.optional(paceBody);
const someFile = v.optional(v.pipe(v.string(), v.maxLength(limits.fileNameLength)));
const someArgs = v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(64))), v.maxLength(8)));
const someFlag = v.optional(v.boolean());
const someIds = v.optional(v.array(v.pipe(v.string(), v.maxLength(64))));

/** Body of POST /api/labs/<lab>/run; every field may be left out. */
export const runBody = v.strictObject({
  /** Run this text instead of the saved file. */
  text: someText,
  /** The port to listen on; 0 for any free one; the lab's own when left out. */
  port: somePort,
  /** A run of ours that the lab server stops first, because it holds the port. */
  instead: someRun,
  /** Another file of the lab's folder to run: a program that comes with the lab, such as a measurement. */
  file: someFile,
  /** Its arguments; the port when left out. */
  args: someArgs,
  /** How it starts: {"mode": "paused"} stops before its first call. The page or shell that starts it so drives it. */
  pace: somePace,
});
export type RunBody = v.InferOutput<typeof runBody>;

/** Body of POST /api/labs/<lab>/check. */
export const checkBody = v.strictObject({
  text: someText,
  /** Ids of the checks to make; all when left out. */
  only: someIds,
  /** True: the checks are made of the student's server and then of the lab's rivals. */
  scoreboard: someFlag,
});
export type CheckBody = v.InferOutput<typeof checkBody>;

/**
 * Body of PUT /api/labs/<lab>/files/<file>; needs If-Match with the ETag that was read: `""` for a file that is not
 * there, `*` for any text (of which a copy is kept). 412 has the text and etag that are there instead.
 */
export const fileBody = v.strictObject({ text });

/** Body of POST /api/labs/<lab>/files/<file>/rename, with If-Match: the new name of a file that the student has made. */
export const renameBody = v.strictObject({ to: v.string() });

/**
 * Body of POST /api/labs/<lab>/reset: the starter again. The answer has its text and etag, and in `kept` the path of
 * the copy that was made of what was there (null if there was nothing).
 */
export const resetBody = v.strictObject({
  /** One of the files that the lab begins with; the first when left out. */
  file: someFile,
});
export type ResetBody = v.InferOutput<typeof resetBody>;

/** What a page sends over /ws. Files go by HTTP, where ETag and If-Match are at home; so do visits, which answer with an id. */
export const request = v.variant("type", [
  /** The state and events of this lab's runs, now and later; `from` gives the next seq wanted of runs already known. */
  v.strictObject({ type: v.literal("watch"), lab, from: v.optional(v.record(run, seq)) }),
  v.strictObject({ type: v.literal("unwatch"), lab }),
  v.strictObject({
    type: v.literal("run"),
    lab,
    text: someText,
    port: somePort,
    instead: someRun,
    file: someFile,
    args: someArgs,
    pace: somePace,
  }),
  v.strictObject({
    type: v.literal("check"),
    lab,
    text: someText,
    only: someIds,
    scoreboard: someFlag,
  }),
  v.strictObject({ type: v.literal("stop"), run }),
  /** How fast it goes. The page or shell that asks first drives; `drive` makes this page the driver. */
  v.strictObject({ type: v.literal("pace"), run, pace: paceBody }),
  v.strictObject({ type: v.literal("step"), run, step: stepBody }),
  v.strictObject({ type: v.literal("drive"), run }),
  /** Samples of the kernel's state until this page asks for another interval, in milliseconds; 0 for no more. */
  v.strictObject({ type: v.literal("sample"), run, everyMs: v.pipe(v.number(), v.integer(), v.minValue(0)) }),
  /** The page has shown everything of this run up to and including seq. */
  v.strictObject({ type: v.literal("ack"), run, seq }),
]);
export type Request = v.InferOutput<typeof request>;
