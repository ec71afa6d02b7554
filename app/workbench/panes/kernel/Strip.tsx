// Strip. The program as a whole: what it is doing, and what it costs.
import {
  type DoingStatement,
  type KernelRates,
  type KernelSample,
  pausedStatement,
  sentence,
} from "../../../../server-labs/protocol.ts";
import type { KernelLog, RunView } from "../../../labs.ts";
import { bytesInWords, number, roundedDuration } from "../../format.ts";
import { Spark } from "./Spark.tsx";
import { useRunClock } from "./use-kernel.ts";

interface Props {
  program: RunView;
  kernel: KernelLog;
  sample: KernelSample;
  /** The sample is of now, and not of when the pane was open before. */
  fresh: boolean;
}

/** A value each two seconds of the last minute. */
const times = Array.from({ length: 31 }, (_, i) => (i - 30) * 2000);

export function Strip({ program, kernel, sample, fresh }: Props) {
  const clock = useRunClock(program);
  const now = program.live ? Math.max(clock, kernel.sample?.at ?? 0) : (kernel.sample?.at ?? 0);
  const rates = fresh ? sample.rates : null;
  const line = (value: (rates: KernelRates) => number) =>
    times.flatMap(ago => {
      const then = kernel.ratesAt(now + ago);
      return then === null ? [] : [value(then)];
    });
  const { open, limit } = sample.descriptors;
  const full = limit > 0 && open >= limit;
  // A sample comes a moment after the step that it is about.
  const { pace } = program;
  const doing =
    pace?.state === "stopped" && pace.stop ? pausedStatement(pace.stop, pace.breakpoints) : sample.doing;
  const [sign, colour] = signs[doing.code];
  return (
    <div className="kernel-strip">
      <p className="kernel-doing">
        {program.live ? (
          <>
            <span className={colour} aria-hidden="true">
              {sign}
            </span>{" "}
            {briefly(doing)}
            <Age kernel={kernel} />
          </>
        ) : (
          <span className="dim">as it was when the program ended</span>
        )}
      </p>
      <dl className="kernel-facts">
        <div>
          <dt title="Calls each second, by what came of them">calls/s</dt>
          <dd>
            {rates === null ? <NotYet /> : <CallRates {...rates} />}
            <Mean overMs={rates?.overMs} />
            <Spark values={line(({ ready, waiting, failed, unseen }) => ready + waiting + failed + unseen)} />
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
            {rates === null ? <NotYet /> : `${percent(rates.cpuMs)} %`}
            <Mean overMs={rates?.overMs} />
            <Spark values={line(({ cpuMs }) => cpuMs)} />
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

/** Older than about a second a sample says how old it is, as useRunClock() goes on: the program may have changed since. */
const oldMs = 1200;

function Age({ kernel }: { kernel: KernelLog }) {
  const age = kernel.age();
  if (age < oldMs) return null;
  return <span className="kernel-age waiting"> · this sample is {roundedDuration(age)} old</span>;
}

function CallRates({ ready, waiting, failed, unseen }: KernelRates) {
  return (
    <>
      <span className="ready">{number(ready)} ready</span>
      <span className="waiting">{number(waiting)} would block</span>
      <span className={failed > 0 ? "failed" : "dim"}>{number(failed)} failed</span>
      {unseen > 0 && <span className="dim">{number(unseen)} too fast to read</span>}
    </>
  );
}

/** The time that a rate is a mean over, where it is longer than one would think. */
function Mean({ overMs }: { overMs: number | undefined }) {
  return overMs === undefined ? null : <span className="dim">mean of {roundedDuration(overMs)}</span>;
}

/** A rate needs two samples. */
function NotYet() {
  return (
    <span className="dim" title="A rate needs two samples: the first has come">
      …
    </span>
  );
}

/** Milliseconds of processor time in a second: 4 → "0.4"; 243 → "24". */
const percent = (cpuMs: number): string => String(cpuMs < 10 ? cpuMs / 10 : Math.round(cpuMs / 10));

/** The bar over the panes shows the whole call at which the program is paused; here its name is enough. */
function briefly(doing: DoingStatement): string {
  if (doing.code !== "paused" || !doing.call) return sentence(doing);
  return `paused ${doing.where} ${doing.call.name}`;
}

const runs = ["›", "ready"] as const;
const sleeps = ["~", "waiting"] as const;
const halts = ["‖", "waiting"] as const;

const signs: Record<DoingStatement["code"], readonly [sign: string, colour: string]> = {
  "running-now": runs,
  "running-inside": runs,
  "asleep-in": sleeps,
  "asleep-between-calls": sleeps,
  "asleep-untraced": sleeps,
  "waiting-for-disk": halts,
  "stopped-by-signal": halts,
  "process-ended": halts,
  "not-known": halts,
  paused: halts,
};
