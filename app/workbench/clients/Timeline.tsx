// One visit on one clock: what the client did and got on the left, the program's own calls on that connection on the
// right, in the order in which they happened.
import { useState } from "react";
import type { Syscall } from "../../../server-labs/protocol.ts";
import type { Calls, RunView, VisitView } from "../../labs.ts";
import { inStrace, inWords } from "../syscalls/compact.ts";
import { stopOf } from "../syscalls/Row.tsx";
import { revealLine } from "../view.ts";
import { count, number } from "../words.ts";
import type { Connections } from "./connections.ts";

type Step = VisitView["steps"][number];
type Entry = { at: number; step: Step } | { at: number; call: Syscall };

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
  calls: Calls;
  connections: Connections;
}) {
  const ports = [...new Set(visit.steps.flatMap(step => step.port ?? []))];
  const sides = ports.map(port => connections.of(calls, port));
  const more = sides.reduce((sum, side) => sum + side.more, 0);
  const entries: Entry[] = [
    ...visit.steps.filter(({ what }) => what !== "begins").map(step => ({ at: step.when, step })),
    ...sides.flatMap(side => side.calls.map(call => ({ at: call.at, call }))),
  ].sort((a, b) => a.at - b.at);
  const crowd = visit.kind === "burst" || visit.kind === "idle";
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
                    <CallView call={entry.call} program={program} />
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
      {sides.length > 0 && sides.every(side => side.calls.length === 0) && (
        <p className="dim">
          {visit.open ? "The server has not accepted it" : "The server never accepted it"}, or its calls were
          too many to be shown one by one.
        </p>
      )}
    </>
  );
}

function StepView({ step, named }: { step: Step; named: boolean }) {
  const { sign, colour } = signs[step.what];
  const octets = step.what === "sent" || step.what === "got";
  return (
    <div className="step">
      <span className={`step-sign ${colour}`} aria-hidden="true">
        {sign}
      </span>
      <div>
        <span className={octets ? "" : colour}>
          {named && step.port ? <span className="dim">{step.who} </span> : null}
          {octets && /^[\d,]+ octet/.test(step.sentence) ? `${step.what} ` : ""}
          {step.sentence}
        </span>
        {step.text !== undefined && <Octets text={step.text} />}
      </div>
    </div>
  );
}

const shownLines = 4;

/** Octets as they can be typed, a line for each \n; the first of them until all are asked for. */
function Octets({ text }: { text: string }) {
  const [all, setAll] = useState(false);
  const lines = text.split(/(?<=\\n)|\n/);
  const shown = all ? lines : lines.slice(0, shownLines);
  return (
    <>
      <pre className="octets">{shown.join("\n")}</pre>
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
function CallView({ call, program }: { call: Syscall; program: RunView }) {
  const { line, state } = call;
  const { made, gave } = inWords(call);
  const paused = stopOf(program)?.n === call.n;
  return (
    <div className="step-call" title={inStrace(call)}>
      <span className="step-call-words">
        <b>{call.name}</b>
        {made.slice(call.name.length)}
      </span>
      <span className={`step-call-result ${state}`}>
        <i title={state}>{callSigns[state]}</i>
        {call.took === null ? paused ? <b>paused before</b> : "…asleep" : `= ${gave}`}
        {call.took !== null && paused && <b> paused after</b>}
      </span>
      {line !== null && (
        <button
          type="button"
          className="step-line"
          onClick={() => revealLine(line)}
          aria-label={`Show line ${line}`}
        >
          :{line}
        </button>
      )}
    </div>
  );
}
