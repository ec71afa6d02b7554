// The form that sends clients: a kind, and the few fields that this kind has. Sensible without a word of the student's.
import { useId, useState } from "react";
import {
  octetsOf,
  type VisitBody,
  type VisitKind,
  visitDefaults,
  visitLimits,
} from "../../../server-labs/protocol.ts";
import { kinds } from "./kinds.ts";

interface Props {
  /** Why nobody can be sent now; null when they can. */
  why: string | null;
  port: number;
  onSend(body: VisitBody): void;
  /** Ends all visits; null when none is under way. */
  onLeave: (() => void) | null;
}

const typed = (port: number) => `GET / HTTP/1.1\\r\\n\nHost: 127.0.0.1:${port}\\r\\n\n\\r\\n`;

export function Send({ why, port, onSend, onLeave }: Props) {
  const [kind, setKind] = useState<VisitKind>("get");
  const [path, setPath] = useState("");
  const [at, setAt] = useState("");
  const [count, setCount] = useState("");
  const [everyMs, setEveryMs] = useState("");
  const [text, setText] = useState<string | null>(null);
  const id = useId();
  const defaults = visitDefaults[kind];
  const raw = text ?? typed(port);
  const read = octetsOf(raw);
  const cuts = at.split(/[\s,]+/).filter(part => part !== "");
  const badCut = cuts.find(part => !/^[1-9]\d{0,4}$/.test(part));
  const problem =
    kind === "raw" && "problem" in read
      ? read.problem
      : kind === "split" && badCut !== undefined
        ? `"${badCut}" is no number of an octet: write numbers like 8, 20.`
        : null;
  const about = kinds.find(one => one.kind === kind)!.why;
  const send = () => {
    if (problem !== null || why !== null) return;
    onSend({
      kind,
      ...(defaults.path !== undefined && path !== "" ? { path } : {}),
      ...(kind === "split" && cuts.length > 0 ? { at: cuts.map(Number) } : {}),
      ...(defaults.count !== undefined && count !== "" ? { count: Number(count) } : {}),
      ...(defaults.everyMs !== undefined && everyMs !== "" ? { everyMs: Number(everyMs) } : {}),
      // Lines in the box are for the eye: what ends a line on the wire is written.
      ...(kind === "raw" ? { text: raw.replaceAll("\n", "") } : {}),
    });
  };
  return (
    <form
      className="send"
      aria-label="Send clients"
      onSubmit={event => {
        event.preventDefault();
        send();
      }}
    >
      <div className="send-fields">
        <select aria-label="Client" value={kind} onChange={event => setKind(event.target.value as VisitKind)}>
          {kinds.map(one => (
            <option key={one.kind} value={one.kind}>
              {one.name}
            </option>
          ))}
        </select>
        {defaults.path !== undefined && (
          <label className="send-path">
            <span>path</span>
            <input
              type="text"
              spellCheck={false}
              value={path}
              placeholder={defaults.path}
              pattern="/[!-~]*"
              title="A path begins with /; what is not ASCII is written %E4%BD%A0"
              onChange={event => setPath(event.target.value)}
            />
          </label>
        )}
        {kind === "split" && (
          <label>
            <span>cut before octet</span>
            <input
              type="text"
              className="send-short"
              value={at}
              placeholder="8"
              onChange={event => setAt(event.target.value)}
            />
          </label>
        )}
        {defaults.count !== undefined && (
          <NumberField
            name={kind === "pipeline" ? "requests" : "clients"}
            value={count}
            usual={defaults.count}
            most={visitLimits.clients}
            onChange={setCount}
          />
        )}
        {defaults.everyMs !== undefined && (
          <NumberField
            name={kind === "drip" ? "ms between octets" : "ms between reads"}
            value={everyMs}
            usual={defaults.everyMs}
            most={visitLimits.everyMs}
            onChange={setEveryMs}
          />
        )}
        <button type="submit" className="button" disabled={why !== null || problem !== null}>
          Send
        </button>
        <p id={`${id}-says`} className={problem === null ? "dim" : "failed"} role="status" title={about}>
          {problem ?? why ?? about}
        </p>
        {onLeave && (
          <button type="button" className="button quiet send-leave" onClick={onLeave}>
            Leave all
          </button>
        )}
      </div>
      {kind === "raw" && (
        <label className="send-raw">
          <span>
            octets: \r \n \t \0 \\ and \xNN are one each; the lines of this box are for the eye only
          </span>
          <textarea
            spellCheck={false}
            rows={4}
            value={raw}
            aria-describedby={`${id}-says`}
            onChange={event => setText(event.target.value)}
          />
        </label>
      )}
    </form>
  );
}

interface NumberFieldProps {
  name: string;
  value: string;
  /** What is taken when nothing is written. */
  usual: number;
  most: number;
  onChange(value: string): void;
}

function NumberField({ name, value, usual, most, onChange }: NumberFieldProps) {
  return (
    <label>
      <span>{name}</span>
      <input
        type="number"
        inputMode="numeric"
        min={1}
        max={most}
        value={value}
        placeholder={String(usual)}
        onChange={event => onChange(event.target.value)}
      />
    </label>
  );
}
