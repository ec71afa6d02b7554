// Send form. A kind of client, and the few fields that it has; every field has a default.
import { useId, useState } from "react";
import {
  bytesOfEscapes,
  sentence,
  type VisitBody,
  type VisitKind,
  visitDefaults,
  visitLimits,
} from "../../../../server-labs/protocol.ts";
import { kinds } from "./kinds.ts";

interface Props {
  /** Why no client can be sent now; null when one can. */
  why: string | null;
  port: number;
  onSend(body: VisitBody): void;
  /** Ends all visits; null when there are none. */
  onLeave: (() => void) | null;
}

const typed = (port: number) => `GET / HTTP/1.1\\r\\n\nHost: 127.0.0.1:${port}\\r\\n\n\\r\\n`;

export function Send({ why, port, onSend, onLeave }: Props) {
  const [fields, setFields] = useState<Fields>({
    kind: "get",
    path: "",
    at: "",
    count: "",
    everyMs: "",
    text: null,
  });
  const order: Order = { ...fields, text: fields.text ?? typed(port) };
  const set = (change: Partial<Order>) => setFields(now => ({ ...now, ...change }));
  const id = useId();
  const { kind, text } = order;
  const problem = problemOf(order);
  const about = kinds.find(one => one.kind === kind)!.why;
  return (
    <form
      className="send"
      aria-label="Send clients"
      onSubmit={event => {
        event.preventDefault();
        if (problem === null && why === null) onSend(bodyOf(order));
      }}
    >
      <div className="send-fields">
        <select
          aria-label="Client"
          value={kind}
          onChange={event => set({ kind: event.target.value as VisitKind })}
        >
          {kinds.map(one => (
            <option key={one.kind} value={one.kind}>
              {one.name}
            </option>
          ))}
        </select>
        <KindFields order={order} set={set} />
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
          <span>bytes: \r \n \t \0 \\ and \xNN are one each; the lines of this box are for the eye only</span>
          <textarea
            spellCheck={false}
            rows={4}
            value={text}
            aria-describedby={`${id}-says`}
            onChange={event => set({ text: event.target.value })}
          />
        </label>
      )}
    </form>
  );
}

/** The fields as the student filled them in; an empty one has its default. */
interface Order {
  kind: VisitKind;
  path: string;
  at: string;
  count: string;
  everyMs: string;
  text: string;
}

/** The text is null until the student types: it follows the program's port. */
type Fields = Omit<Order, "text"> & { text: string | null };

const cutsOf = ({ at }: Order) => at.split(/[\s,]+/).filter(part => part !== "");

/** Why the order cannot be sent as it is written, in a sentence. */
function problemOf(order: Order): string | null {
  if (order.kind === "raw") {
    const read = bytesOfEscapes(order.text);
    return "refusal" in read ? sentence(read.refusal) : null;
  }
  if (order.kind !== "split") return null;
  const bad = cutsOf(order).find(part => !/^[1-9]\d{0,4}$/.test(part));
  return bad === undefined ? null : `"${bad}" is not the number of a byte: write numbers like 8, 20.`;
}

function bodyOf(order: Order): VisitBody {
  const { kind, path, count, everyMs, text } = order;
  const defaults = visitDefaults[kind];
  const cuts = cutsOf(order);
  return {
    kind,
    ...(defaults.path !== undefined && path !== "" ? { path } : {}),
    ...(kind === "split" && cuts.length > 0 ? { at: cuts.map(Number) } : {}),
    ...(defaults.count !== undefined && count !== "" ? { count: Number(count) } : {}),
    ...(defaults.everyMs !== undefined && everyMs !== "" ? { everyMs: Number(everyMs) } : {}),
    // Lines in the box are for the eye: what ends a line on the wire is written.
    ...(kind === "raw" ? { text: text.replaceAll("\n", "") } : {}),
  };
}

/** The fields that this kind of client has. */
function KindFields({ order, set }: { order: Order; set(change: Partial<Order>): void }) {
  const { kind, path, at, count, everyMs } = order;
  const defaults = visitDefaults[kind];
  return (
    <>
      {defaults.path !== undefined && (
        <label className="send-path">
          <span>path</span>
          <input
            type="text"
            spellCheck={false}
            value={path}
            placeholder={defaults.path}
            pattern="/[!-~]*"
            title="A path begins with /; other characters than ASCII are written %E4%BD%A0"
            onChange={event => set({ path: event.target.value })}
          />
        </label>
      )}
      {kind === "split" && (
        <label>
          <span>cut before byte</span>
          <input
            type="text"
            className="send-short"
            value={at}
            placeholder="8"
            onChange={event => set({ at: event.target.value })}
          />
        </label>
      )}
      {defaults.count !== undefined && (
        <NumberField
          name={kind === "pipeline" ? "requests" : "clients"}
          value={count}
          usual={defaults.count}
          most={visitLimits.clients}
          onChange={value => set({ count: value })}
        />
      )}
      {defaults.everyMs !== undefined && (
        <NumberField
          name={kind === "drip" ? "ms between bytes" : "ms between reads"}
          value={everyMs}
          usual={defaults.everyMs}
          most={visitLimits.everyMs}
          onChange={value => set({ everyMs: value })}
        />
      )}
    </>
  );
}

interface NumberFieldProps {
  name: string;
  value: string;
  /** The default. */
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
