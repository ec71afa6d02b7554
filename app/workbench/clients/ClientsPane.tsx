// Clients in reach: real ones, sent against the running program, each with what it sent and got beside the program's
// own calls on its connection, on one clock.
import "../../style/clients.css";
import { useEffect, useMemo, useRef, useState } from "react";
import { useStore } from "zustand";
import { labs, type RunView } from "../../labs.ts";
import { useCalls } from "../syscalls/use-calls.ts";
import { Connections } from "./connections.ts";
import { Send } from "./Send.tsx";
import { sendVisit, useVisitProblem, whyNot } from "./send-visit.ts";
import { Visit } from "./Visit.tsx";

export function ClientsPane({ program, port }: { program: RunView | null; port: number }) {
  const connection = useStore(labs.store, state => state.connection);
  const why = whyNot(program, connection);
  const problem = useVisitProblem();
  const visits = program?.visits ?? [];
  const open = visits.filter(visit => visit.open).length;
  return (
    <div className="clients">
      <Send
        why={why}
        port={program?.listening?.port ?? port}
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
  const [connections] = useState(() => new Connections());
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version is what there is to read.
  useMemo(() => connections.read(calls), [connections, calls, version]);
  const list = useRef<HTMLOListElement>(null);
  const newest = program.visits.at(-1)?.visit;
  useEffect(() => {
    if (newest) list.current?.lastElementChild?.scrollIntoView({ block: "start" });
  }, [newest]);
  return (
    <ol ref={list}>
      {program.visits.map(visit => (
        <Visit
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
