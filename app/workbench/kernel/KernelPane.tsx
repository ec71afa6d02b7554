// What the kernel itself knows of the program: listeners with who waits there, connections with their queues, epoll
// instances with their lists. Everything keeps its place; what changes is a number, a word or a colour.
import "../../style/kernel.css";
import { useMemo } from "react";
import { useStore } from "zustand";
import type { KernelSample } from "../../../server-labs/protocol.ts";
import { labs, type RunView } from "../../labs.ts";
import { keyNames } from "../keys.ts";
import { count, number } from "../words.ts";
import { Connection } from "./Connection.tsx";
import { ConnectionTable } from "./ConnectionTable.tsx";
import { Epoll } from "./Epoll.tsx";
import { Listener } from "./Listener.tsx";
import { Strip } from "./Strip.tsx";
import { listenerTrap, octets, watchedOf } from "./told.ts";
import { toldOf } from "./told-of.ts";
import { useKernel } from "./use-kernel.ts";

/** More connections than this are a table. */
const mostCards = 12;

export function KernelPane({ program }: { program: RunView | null }) {
  const kernel = useKernel(program);
  const connection = useStore(labs.store, state => state.connection);
  const sample = kernel.sample?.sample;
  if (!program || !sample) return <Nothing program={program} />;
  const away = program.live && connection !== "ready";
  return (
    <div className={program.live && !away ? "kernel" : "kernel over"}>
      <Strip program={program} kernel={kernel} sample={sample} />
      {away && (
        <p className="kernel-notice waiting" role="status">
          The lab server is away: this is how things stood when it was last heard.
        </p>
      )}
      {sample.problem && (
        <p className="kernel-notice failed" role="status">
          ✗ {sample.problem}
        </p>
      )}
      <State sample={sample} names={kernel.names} />
      {/* At the end: what comes and goes up there would move what is read. */}
      {sample.thin && program.live && <p className="kernel-notice dim">{sample.thin}</p>}
    </div>
  );
}

function State({ sample, names }: { sample: KernelSample; names: ReadonlyMap<number, string> }) {
  const watched = useMemo(() => watchedOf(sample.epolls), [sample]);
  const told = toldOf(sample, watched, names);
  const traps = new Set(told.filter(({ trap }) => trap).map(({ connection }) => connection.fd));
  for (const one of sample.listeners) if (listenerTrap(one, watched.get(one.fd) ?? [])) traps.add(one.fd);
  const { omitted, others } = sample;
  const total = told.length + omitted.connections;
  const inTrap = told.filter(({ trap }) => trap);
  const held = inTrap.reduce((sum, { connection }) => sum + connection.recvQ, 0);
  return (
    <>
      {sample.listeners.map(one => (
        <Listener key={one.fd} listener={one} names={names} watched={watched.get(one.fd) ?? []} />
      ))}
      {sample.epolls.map(one => (
        <Epoll key={one.fd} epoll={one} traps={traps} />
      ))}
      <section className="kernel-connections" aria-label="Connections">
        <p>
          <b>{total === 0 ? "No connection" : count(total, "connection")}</b>
          {total === 0 && <span className="dim"> that the program has accepted</span>}
          {omitted.connections > 0 && (
            <span className="dim">
              {" "}
              · {number(omitted.connections)} not shown one by one, with {octets(omitted.recvQ)} to read and{" "}
              {number(omitted.sendQ)} to send
            </span>
          )}
        </p>
        {told.length > mostCards ? (
          <>
            {inTrap.length > 0 && (
              <p className="kernel-trap failed">
                <span aria-hidden="true">✗ </span>
                {octets(held)} in {count(inTrap.length, "connection")}, and nobody will be told of them.
              </p>
            )}
            <ConnectionTable connections={told} />
          </>
        ) : (
          <ul className="kernel-cards">
            {told.map(one => (
              <Connection key={one.connection.fd} {...one} />
            ))}
          </ul>
        )}
      </section>
      {others.length > 0 && (
        <section className="kernel-others" aria-label="Other descriptors">
          <p>
            Also open:{" "}
            {others.map(({ fd, what }) => (
              <span key={fd}>
                <b>fd {fd}</b> {what}
              </span>
            ))}
            {omitted.others > 0 && <span>and {number(omitted.others)} more</span>}
          </p>
        </section>
      )}
    </>
  );
}

function Nothing({ program }: { program: RunView | null }) {
  if (program?.live) {
    return (
      <div className="pane-state">
        <p>Looking…</p>
        <p className="dim">What the kernel knows of the program comes with the first sample.</p>
      </div>
    );
  }
  return (
    <div className="pane-state">
      <p>{program ? "Nobody looked while this program ran." : "Nothing runs."}</p>
      <p className="dim">
        Press <kbd>{keyNames.run}</kbd>: here will be what the kernel itself knows of your program. Who waits
        to be accepted, how many octets are in each socket's queues, what each epoll instance watches, and
        which of it is ready.
      </p>
    </div>
  );
}
