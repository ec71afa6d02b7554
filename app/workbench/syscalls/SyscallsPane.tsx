// What the program asks of the kernel, call by call: named, folded, filtered.
import "../../style/syscalls.css";
import { type KeyboardEvent, useMemo, useRef } from "react";
import { useStore } from "zustand";
import type { Calls, RunView } from "../../labs.ts";
import { keyNames } from "../keys.ts";
import { goesOn } from "../pace/driving.ts";
import { FilterBar } from "./FilterBar.tsx";
import { filter, parseFilter, setFilter } from "./filter.ts";
import { Folds } from "./fold.ts";
import { List } from "./List.tsx";
import { useCalls } from "./use-calls.ts";

export function SyscallsPane({ program }: { program: RunView | null }) {
  const { calls, version } = useCalls(program?.run ?? null);
  if (program && calls.length > 0) {
    return <Shown key={program.run} program={program} calls={calls} version={version} />;
  }
  if (program?.live) {
    return (
      <div className="pane-state">
        <p>The program has asked nothing of the kernel yet.</p>
        <p className="dim">Its calls on sockets appear here as they happen.</p>
      </div>
    );
  }
  return (
    <div className="pane-state">
      <p>{program ? "This run made no system calls on sockets." : "No system calls yet."}</p>
      <p className="dim">
        Press <kbd>{keyNames.run}</kbd>: every call that your program makes on a socket is shown here as it
        happens, with what the kernel answered.
      </p>
    </div>
  );
}

function Shown({ program, calls, version }: { program: RunView; calls: Calls; version: number }) {
  const text = useStore(filter, state => state.text);
  const folds = useMemo(() => new Folds(calls, parseFilter(text)), [calls, text]);
  // Who steps wants to see each step.
  folds.follow(
    program.live && program.pace !== null && !(program.pace.mode === "full" && goesOn(program.pace)),
  );
  const field = useRef<HTMLInputElement>(null);
  const pressed = (event: KeyboardEvent) => {
    if (event.key !== "/" || event.target === field.current || event.ctrlKey || event.altKey || event.metaKey)
      return;
    event.preventDefault();
    field.current?.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a key that leads from the list to its filter.
    <div className="syscalls" onKeyDown={pressed}>
      <FilterBar calls={calls} shown={folds.length} field={field} />
      {folds.length > 0 ? (
        <List key={text} program={program} calls={calls} folds={folds} version={version} />
      ) : (
        <div className="pane-state">
          <p>No call that is shown one by one matches “{text.trim()}”.</p>
          <button type="button" className="button small" onClick={() => setFilter("")}>
            Clear the filter
          </button>
        </div>
      )}
    </div>
  );
}
