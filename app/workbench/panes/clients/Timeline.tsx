// Timeline. One visit on one clock: what the client did and got on the left, the program's own calls on its connection
// on the right, in the order in which they happened.
import { useState } from "react";
import {
  type AnsweredClient,
  type CallRecord,
  count,
  duration,
  longTime,
  notation,
  sentence,
  visible,
} from "../../../../server-labs/protocol.ts";
import type { CallList, RunView, VisitView } from "../../../labs.ts";
import { number } from "../../format.ts";
import { placeOf, revealCall } from "../../view.ts";
import { insideWords, inWords, stopOf } from "../syscalls.ts";
import type { ClientConnections } from "./connections.ts";

type Step = VisitView["steps"][number];
type Entry =
  | { at: number; step: Step }
  | { at: number; call: CallRecord }
  | { at: number; client: string; calls: CallRecord[] };

const signs: Record<Step["what"], { sign: string; colour: string }> = {
  begins: { sign: "○", colour: "dim" },
  connected: { sign: "⇄", colour: "" },
  sent: { sign: "→", colour: "" },
  got: { sign: "←", colour: "ready" },
  ended: { sign: "⊣", colour: "waiting" },
  reset: { sign: "✗", colour: "failed" },
  refused: { sign: "✗", colour: "failed" },
  closed: { sign: "⊢", colour: "" },
  waits: { sign: "~", colour: "waiting" },
  done: { sign: "●", colour: "dim" },
};

export function Timeline({
  visit,
  calls,
  connections,
  program,
}: {
  visit: VisitView;
  program: RunView;
  calls: CallList;
  connections: ClientConnections;
}) {
  const crowd = visit.kind === "burst" || visit.kind === "idle";
  const names = clientsOf(visit);
  const ports = [...names.keys()];
  const sides = ports.map(port => connections.of(calls, port));
  const more = sides.reduce((sum, side) => sum + side.more, 0);
  const entries: Entry[] = [
    ...visit.steps.filter(({ what }) => what !== "begins").map(step => ({ at: step.when, step })),
    ...sides.flatMap((side, i): Entry[] => {
      if (!crowd) return side.calls.map(call => ({ at: call.at, call }));
      const [first] = side.calls;
      return first ? [{ at: first.at, client: names.get(ports[i]!)!, calls: side.calls }] : [];
    }),
  ].sort((a, b) => a.at - b.at);
  const unseen = sides.filter(side => side.calls.length === 0).length;
  return (
    <>
      <table className="timeline">
        <thead>
          <tr>
            <th scope="col">seconds</th>
            <th scope="col">
              {crowd ? "clients" : ports.length === 1 ? `client, port ${ports[0]}` : "client"}
            </th>
            <th scope="col">server</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: entries are only ever added, by time.
            <tr key={i}>
              <td className="timeline-time">{(entry.at / 1000).toFixed(3)}</td>
              {"step" in entry ? (
                <>
                  <td>
                    <StepView step={entry.step} named={crowd} />
                  </td>
                  <td />
                </>
              ) : (
                <>
                  <td />
                  <td>
                    {"call" in entry ? (
                      <CallView call={entry.call} program={program} calls={calls} />
                    ) : (
                      <ClientView client={entry.client} calls={entry.calls} all={calls} live={program.live} />
                    )}
                  </td>
                </>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {visit.forgotten > 0 && (
        <p className="dim">{count(visit.forgotten, "step")} in between are no longer kept.</p>
      )}
      {more > 0 && <p className="dim">{count(more, "call")} of the server on it are not shown.</p>}
      {unseen > 0 && (
        <p className="dim">
          {visit.open ? "The server has not accepted " : "The server never accepted "}
          {crowd ? `${count(unseen, "client")} of ${number(sides.length)}` : "it"}
          {calls.incomplete ? ", or its calls were lost in the flood." : "."}
        </p>
      )}
    </>
  );
}

/** The clients of a visit, by their ports. */
function clientsOf(visit: VisitView): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const { port, ports, who } of visit.steps) {
    for (const [i, one] of (ports ?? []).entries()) if (one > 0) names.set(one, `client ${i + 1}`);
    if (port !== undefined && !names.has(port)) names.set(port, who);
  }
  return names;
}

/** What the server did for one of many clients, in one line; calls that repeat are one, counted or followed by "…". */
function ClientView({
  client,
  calls,
  all,
  live,
}: {
  client: string;
  calls: CallRecord[];
  all: CallList;
  live: boolean;
}) {
  // Where some are only counted, no number of those that are shown is the number that were made.
  const exact = all.total === all.single;
  const runs: { call: CallRecord; text: string; times: number }[] = [];
  for (const call of calls) {
    const result = call.errno ?? (call.took === null ? insideWords(call, all, live) : call.returned);
    const text = `${call.call} = ${result}`;
    const last = runs.at(-1);
    if (last?.text === text) last.times++;
    else runs.push({ call, text, times: 1 });
  }
  return (
    <div className="step-call step-client" title={calls.map(notation).join("\n")}>
      <span className="dim">{client}</span>
      <span className="step-client-calls">
        {runs.map(({ call, text, times }, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: calls are only ever added.
          <span key={i} className={call.state === "ready" ? "" : call.state}>
            {i > 0 && ", "}
            {text}
            {times > 1 && (exact ? ` ×${number(times)}` : " …")}
          </span>
        ))}
      </span>
    </div>
  );
}

function StepView({ step, named }: { step: Step; named: boolean }) {
  const { sign, colour } = signs[step.what];
  const moved = step.what === "sent" || step.what === "got";
  return (
    <div className="step">
      <span className={`step-sign ${colour}`} aria-hidden="true">
        {sign}
      </span>
      <div>
        <span className={moved ? "" : colour}>
          {named && step.port ? <span className="dim">{step.who} </span> : null}
          {sentence(step.statement)}
        </span>
        {step.text !== undefined && <Lines lines={step.text.split(/(?<=\\n)|\n/)} />}
        {step.answers && step.answers.length > 0 && (
          <Lines lines={[...step.answers.map(answerLine), ...moreAnswers(step)]} />
        )}
      </div>
    </div>
  );
}

const shownLines = 4;

/** "client 3: 200 after 1.2 ms (port 51322)" */
const answerLine = ({ client, status, ms, port }: AnsweredClient) =>
  `client ${client}: ${status} after ${duration(ms)} (port ${port})`;

/** A step lists the first answers only. */
function moreAnswers({ statement, answers = [] }: Step): string[] {
  const all =
    statement.code === "crowd-answers"
      ? statement.answers
      : statement.code === "crowd-waits"
        ? statement.outcome.answered
        : answers.length;
  return all > answers.length ? [`… and ${number(all - answers.length)} more`] : [];
}

/** The first lines, until the reader asks for all. */
function Lines({ lines }: { lines: string[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? lines : lines.slice(0, shownLines);
  return (
    <>
      <pre className="lines">{shown.join("\n")}</pre>
      {lines.length > shownLines && (
        <button type="button" className="link" onClick={() => setAll(!all)}>
          {all ? "fewer" : `all ${number(lines.length)} lines`}
        </button>
      )}
    </>
  );
}

const callSigns = { ready: "", waiting: "~", failed: "!" };

/** As Syscalls shows it, but for what the calls of one connection have in common. */
function CallView({ call, program, calls }: { call: CallRecord; program: RunView; calls: CallList }) {
  const { line, file, state } = call;
  const { made, gave } = inWords(call);
  const paused = stopOf(program)?.n === call.n;
  return (
    <div className="step-call" title={notation(call)}>
      <span className="step-call-words">
        <b>{call.call}</b>
        {made.slice(call.call.length)}
      </span>
      <span className={`step-call-result ${state}`}>
        <i title={state}>{callSigns[state]}</i>
        {call.took !== null && `= ${gave}`}
        {call.took === null && (paused ? <b>paused before</b> : insideWords(call, calls, program.live))}
        {call.took !== null && paused && <b> paused after</b>}
      </span>
      {longTime(call) !== "" && <span className="step-took">{longTime(call)}</span>}
      {line !== null && (
        <button
          type="button"
          className="step-line"
          onClick={() => revealCall(call)}
          aria-label={`Show ${placeOf(call)}`}
        >
          {file !== undefined && visible(file)}:{line}
        </button>
      )}
    </div>
  );
}
