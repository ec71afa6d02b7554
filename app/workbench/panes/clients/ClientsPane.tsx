// Clients pane. The clients that were sent against the running program, each with what it sent and got beside the
// program's own calls on its connection, on one clock.
import "../../../style/clients.css";
import { useEffect, useMemo, useRef, useState } from "react";
import { useStore } from "zustand";
import { labs, type RunView } from "../../../labs.ts";
import type { PaneProps } from "../../pane.ts";
import { useCalls } from "../syscalls.ts";
import { ClientConnections } from "./connections.ts";
import { Send } from "./Send.tsx";
import { cannotSend, sendVisit, useVisitProblem } from "./send-visit.ts";
import { VisitItem } from "./VisitItem.tsx";

export default function ClientsPane({ program, lab }: PaneProps) {
  const connection = useStore(labs.store, state => state.connection);
  const why = cannotSend(program, connection);
  const problem = useVisitProblem();
  const visits = program?.visits ?? [];
  const open = visits.filter(visit => visit.open).length;
  return (
    <div className="clients">
      <Send
        why={why}
        port={program?.listening?.port ?? lab.port}
        onSend={body => void sendVisit(program, body)}
        onLeave={program && why === null && open > 1 ? () => void labs.leave(program.run) : null}
      />
      {problem && (
        <p className="clients-problem failed" role="alert">
          ✗ {problem}
        </p>
      )}
      {program && visits.length > 0 ? (
        <List key={program.run} program={program} away={connection !== "ready"} />
      ) : (
        <div className="pane-state">
          <p>No client has come from here yet.</p>
          <p className="dim">
            A server is known by what it does to its clients. Send one that is silent, that speaks in pieces,
            that does not read, or fifty at once: each shows here what it sent and got, beside the calls that
            your program made for it.
          </p>
        </div>
      )}
    </div>
  );
}

function List({ program, away }: { program: RunView; away: boolean }) {
  const { calls, version } = useCalls(program.run);
  const [connections] = useState(() => new ClientConnections());
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version is what there is to read.
  useMemo(() => connections.read(calls), [connections, calls, version]);
  const list = useRef<HTMLOListElement>(null);
  const newest = program.visits.at(-1)?.visit;
  useEffect(() => {
    if (newest && list.current) showNewest(list.current);
  }, [newest]);
  return (
    <ol ref={list}>
      {program.visits.map(visit => (
        <VisitItem
          key={visit.visit}
          visit={away ? { ...visit, open: false } : visit}
          program={program}
          newest={visit.visit === newest}
          calls={calls}
          connections={connections}
          onLeave={() => void labs.leave(program.run, visit.visit)}
        />
      ))}
    </ol>
  );
}

/** The share of the pane that folded visits over the newest one may have. */
const mostAbove = 1 / 3;

/** Scrolls to the newest visit, and shows over it those that still wait, each with its Leave button, where there is room. */
function showNewest(list: HTMLOListElement): void {
  const pane = list.parentElement!;
  const form = list.previousElementSibling!;
  const newest = list.lastElementChild!;
  const { top } = newest.getBoundingClientRect();
  let first = newest;
  for (
    let above = first.previousElementSibling;
    above instanceof HTMLElement && above.dataset.open === "true";
    above = above.previousElementSibling
  ) {
    if (top - above.getBoundingClientRect().top > pane.clientHeight * mostAbove) break;
    first = above;
  }
  const sticky = getComputedStyle(form).position === "sticky" ? form.clientHeight : 0;
  pane.scrollTop += first.getBoundingClientRect().top - pane.getBoundingClientRect().top - sticky;
}
