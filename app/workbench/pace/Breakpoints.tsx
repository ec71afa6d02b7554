// Breakpoint list. The breakpoints of the program, and one field that adds another in the words of the filter.
import { Popover } from "@base-ui/react/popover";
import { type FormEvent, useState } from "react";
import { type Breakpoint, paceLimits } from "../../../server-labs/protocol.ts";
import type { RunView } from "../../labs.ts";
import { breakpointWords, parseBreakpoint, sameBreakpoint } from "./breakpoint.ts";
import { type Driving, setBreakpoints } from "./driving.ts";

const usual: Breakpoint[] = [
  { name: "accept4" },
  { name: "recv" },
  { name: "epoll_wait" },
  { errno: "EAGAIN" },
];

export function Breakpoints({ program, driving }: { program: RunView; driving: Driving }) {
  const { breakpoints, stop } = driving.pace;
  const hit = stop?.breakpoint;
  return (
    <Popover.Root>
      <Popover.Trigger className="button small" title="Where the program stops by itself">
        Breakpoints
        {breakpoints.length > 0 && <span className="tab-count">{breakpoints.length}</span>}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner sideOffset={6} align="start" className="breakpoints-place">
          <Popover.Popup className="bench breakpoints">
            <Popover.Title className="breakpoints-title">The program stops at</Popover.Title>
            {breakpoints.length === 0 && <p className="dim">no call by itself</p>}
            <ul>
              {breakpoints.map((one, i) => (
                <li key={breakpointWords(one)} className={i === hit ? "waiting" : ""}>
                  <code>{breakpointWords(one)}</code>
                  <span className="dim">
                    {one.errno ? "after the call" : ""}
                    {i === hit ? " · it waits here" : ""}
                  </span>
                  <button
                    type="button"
                    className="link"
                    disabled={driving.cannot !== null}
                    aria-label={`Remove ${breakpointWords(one)}`}
                    onClick={() => setBreakpoints(program, breakpoints.toSpliced(i, 1))}
                  >
                    Remove
                  </button>
                </li>
              ))}
            </ul>
            <Add
              cannot={driving.cannot}
              known={breakpoints}
              onAdd={one => setBreakpoints(program, [...breakpoints, one])}
            />
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}

interface AddProps {
  cannot: string | null;
  known: Breakpoint[];
  onAdd(one: Breakpoint): void;
}

function Add({ cannot, known, onAdd }: AddProps) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const isKnown = (one: Breakpoint) => known.some(each => sameBreakpoint(each, one));
  const add = (event: FormEvent) => {
    event.preventDefault();
    const one = parseBreakpoint(text);
    if (typeof one === "string") setProblem(one);
    else if (isKnown(one)) setProblem("It stops there already.");
    else if (known.length >= paceLimits.breakpoints)
      setProblem("That is as many as there can be: remove one first.");
    else {
      onAdd(one);
      setText("");
      setProblem(null);
    }
  };
  return (
    <form onSubmit={add}>
      <div className="breakpoints-add">
        <input
          className="syscalls-field"
          aria-label="Breakpoint: a call, an error, a descriptor"
          placeholder="recv EAGAIN fd:7"
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          value={text}
          onChange={event => setText(event.target.value)}
        />
        <button type="submit" className="button small" disabled={cannot !== null}>
          Add
        </button>
      </div>
      <p className="breakpoints-usual">
        {usual
          .filter(one => !isKnown(one))
          .map(one => (
            <button
              key={breakpointWords(one)}
              type="button"
              className="link"
              disabled={cannot !== null}
              onClick={() => onAdd(one)}
            >
              {breakpointWords(one)}
            </button>
          ))}
      </p>
      {(problem ?? cannot) && (
        <p className="failed" role="alert">
          {problem ?? cannot}
        </p>
      )}
    </form>
  );
}
