// The program as a whole: what it is doing, and what it costs.
import type { KernelSample } from "../../../server-labs/protocol.ts";
import type { KernelLog, Point, RunView } from "../../labs.ts";
import { bytesInWords, number } from "../words.ts";
import { Spark } from "./Spark.tsx";
import { useRunClock } from "./use-kernel.ts";

interface Props {
  program: RunView;
  kernel: KernelLog;
  sample: KernelSample;
}

/** A value each two seconds of the last minute. */
const times = Array.from({ length: 31 }, (_, i) => (i - 30) * 2000);

export function Strip({ program, kernel, sample }: Props) {
  const clock = useRunClock(program);
  const now = program.live ? Math.max(clock, kernel.sample?.at ?? 0) : (kernel.sample?.at ?? 0);
  const rate = (of: Exclude<keyof Point, "at">) => Math.round(kernel.perSecond(of, now));
  const line = (value: (at: number) => number) =>
    times
      .map(ago => now + ago)
      .filter(at => at > 0 && kernel.pointAt(at) !== null)
      .map(value);
  const { open, limit } = sample.descriptors;
  const full = limit > 0 && open >= limit;
  // A sample comes a moment after the step that it is about.
  const doing = program.pace?.state === "stopped" ? program.pace.sentence : sample.doing;
  const [sign, colour] = signOf(doing);
  return (
    <div className="kernel-strip">
      <p className="kernel-doing">
        {program.live ? (
          <>
            <span className={colour} aria-hidden="true">
              {sign}
            </span>{" "}
            {briefly(doing)}
          </>
        ) : (
          <span className="dim">as it was when the program ended</span>
        )}
      </p>
      <dl className="kernel-facts">
        <div>
          <dt title="Calls each second, by what came of them">calls/s</dt>
          <dd>
            <span className="ready">{number(rate("ready"))} ready</span>
            <span className="waiting">{number(rate("waiting"))} would block</span>
            <span className={rate("failed") > 0 ? "failed" : "dim"}>{number(rate("failed"))} failed</span>
            {rate("unseen") > 0 && <span className="dim">{number(rate("unseen"))} too fast to read</span>}
            <Spark
              values={line(at =>
                (["ready", "waiting", "failed", "unseen"] as const).reduce(
                  (sum, of) => sum + kernel.perSecond(of, at),
                  0,
                ),
              )}
            />
          </dd>
        </div>
        <div>
          <dt>descriptors</dt>
          <dd className={full ? "failed" : undefined}>
            {number(open)} / {number(limit)}
            {full && " none left"}
          </dd>
        </div>
        <div>
          <dt>processor</dt>
          <dd>
            {rate("cpuMs") / 10 < 1 ? Math.round(rate("cpuMs")) / 10 : Math.round(rate("cpuMs") / 10)} %
            <Spark values={line(at => kernel.perSecond("cpuMs", at))} />
          </dd>
        </div>
        <div>
          <dt>memory</dt>
          <dd>{bytesInWords(sample.rssBytes)}</dd>
        </div>
        <div className="kernel-wide">
          <dt title="Buffers of all TCP sockets of this machine">TCP memory</dt>
          <dd>{bytesInWords(sample.tcpMemoryBytes)}</dd>
        </div>
      </dl>
    </div>
  );
}

/** Where it is paused is said in the bar over the panes. */
const briefly = (doing: string) => /^paused (before|after) \w+/.exec(doing)?.[0] ?? doing;

function signOf(doing: string): [sign: string, colour: string] {
  if (doing.startsWith("running")) return ["›", "ready"];
  return doing.startsWith("asleep") ? ["~", "waiting"] : ["‖", "waiting"];
}
