// Words of a call that has not returned. How long it has slept is counted by the lab server's clock: a page that is behind
// would count its own delay.
import type { CallRecord } from "../../../../server-labs/protocol.ts";
import type { CallList } from "../../../labs.ts";
import { roundedDuration } from "../../format.ts";

/**
 * @param live the program has not ended
 * @param held milliseconds that slow motion waits before the call is made at all
 */
export function insideWords(
  call: CallRecord,
  calls: Pick<CallList, "until" | "endUnseen">,
  live: boolean,
  held = 0,
): string {
  if (calls.endUnseen(call)) return "…its end was not seen";
  if (!live) return "…never returned: the program had ended";
  const slept = calls.until - call.at - held;
  if (held > 0 && slept < 0) return "…waits, in slow motion";
  return `…asleep ${roundedDuration(Math.max(0, slept))}`;
}
