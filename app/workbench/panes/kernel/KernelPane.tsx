// Kernel pane. What the kernel knows of the program: listeners with the clients that wait there, connections with their
// queues, epoll instances with their lists. Everything keeps its place; what changes is a number, a word or a colour.
import "../../../style/kernel.css";
import { useMemo } from "react";
import { useStore } from "zustand";
import {
  count,
  type KernelSample,
  sentence,
  type TaskSample,
  visible,
} from "../../../../server-labs/protocol.ts";
import { keyNames } from "../../../keys.ts";
import { type KernelLog, labs, type RunView } from "../../../labs.ts";
import { number } from "../../format.ts";
import type { PaneProps } from "../../pane.ts";
import { ConnectionCard } from "./Connection.tsx";
import { ConnectionTable } from "./ConnectionTable.tsx";
import { EpollCard } from "./Epoll.tsx";
import { ListenerCard } from "./Listener.tsx";
import { Strip } from "./Strip.tsx";
import { bytes, listenerTrap, waitersOf, watchedOf } from "./traps.ts";
import { watchedConnections } from "./traps-of.ts";
import { useKernel } from "./use-kernel.ts";

/** More connections than this are a table. */
const mostCards = 12;

export default function KernelPane({ program }: PaneProps) {
  const { kernel, fresh } = useKernel(program);
  const connection = useStore(labs.store, state => state.connection);
  const sample = kernel.sample?.sample;
  if (!program || !sample) return <Nothing program={program} />;
  const away = program.live && connection !== "ready";
  return (
    <div className={program.live && !away ? "kernel" : "kernel over"}>
      <Strip program={program} kernel={kernel} sample={sample} fresh={fresh} />
      {away && (
        <p className="kernel-notice waiting" role="status">
          The lab server is away: this is the last sample that it sent.
        </p>
      )}
      {sample.problem && (
        <p className="kernel-notice failed" role="status">
          ✗ {sentence(sample.problem)}
        </p>
      )}
      {program.live && program.untraced && (
        <p className="kernel-notice waiting" role="status">
          {sentence(program.untraced)}
        </p>
      )}
      <State sample={sample} tasks={kernel.tasks?.sample} nameOf={one => kernel.nameOf(one)} />
      {/* At the end: what comes and goes up there would move what is read. */}
      {sample.thin && program.live && <p className="kernel-notice dim">{sentence(sample.thin)}</p>}
    </div>
  );
}

interface StateProps {
  sample: KernelSample;
  tasks: TaskSample | undefined;
  nameOf: KernelLog["nameOf"];
}

function State({ sample, tasks, nameOf }: StateProps) {
  const watched = useMemo(() => watchedOf(sample.epolls, waitersOf(tasks)), [sample, tasks]);
  const connections = watchedConnections(sample, watched, nameOf);
  const traps = new Set(connections.filter(({ trap }) => trap).map(({ connection }) => connection.fd));
  for (const one of sample.listeners) if (listenerTrap(one, watched.get(one.fd) ?? [])) traps.add(one.fd);
  const { omitted, others } = sample;
  const total = connections.length + omitted.connections;
  const inTrap = connections.filter(({ trap }) => trap);
  const held = inTrap.reduce((sum, { connection }) => sum + connection.recvQ, 0);
  return (
    <>
      {sample.listeners.map(one => (
        <ListenerCard key={one.fd} listener={one} nameOf={nameOf} watched={watched.get(one.fd) ?? []} />
      ))}
      {sample.epolls.map(one => (
        <EpollCard key={one.fd} epoll={one} traps={traps} />
      ))}
      <section className="kernel-connections" aria-label="Connections">
        <p>
          <b>{total === 0 ? "No connection" : count(total, "connection")}</b>
          {total === 0 && <span className="dim"> that the program has accepted</span>}
          {omitted.connections > 0 && (
            <span className="dim">
              {" "}
              · {number(omitted.connections)} not shown one by one, with {bytes(omitted.recvQ)} to read and{" "}
              {number(omitted.sendQ)} to send
            </span>
          )}
        </p>
        {connections.length > mostCards ? (
          <>
            {inTrap.length > 0 && (
              <p className="kernel-trap failed">
                <span aria-hidden="true">✗ </span>
                {bytes(held)} in {count(inTrap.length, "connection")}, and epoll will not report them.
              </p>
            )}
            <ConnectionTable connections={connections} />
          </>
        ) : (
          <ul className="kernel-cards">
            {connections.map(one => (
              <ConnectionCard key={one.connection.fd} {...one} />
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
                <b>fd {fd}</b> {visible(what)}
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
      <p>{program ? "This pane was not open while the program ran." : "Nothing runs."}</p>
      <p className="dim">
        Press <kbd>{keyNames.run}</kbd>: here will be what the kernel itself knows of your program. Which
        clients wait to be accepted, how many bytes are in each socket's queues, what each epoll instance
        watches, and which of it is ready.
      </p>
    </div>
  );
}
