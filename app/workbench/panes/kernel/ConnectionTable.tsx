// Connection table. Many connections with a line each, so that an unusual one is seen among the others.
import { memo } from "react";
import { portOf, visible } from "../../../../server-labs/protocol.ts";
import { number } from "../../format.ts";
import { FdButton } from "./FdButton.tsx";
import { eventWords, readyWords, stateWords, triggerWords } from "./traps.ts";
import type { WatchedConnection } from "./traps-of.ts";

export function ConnectionTable({ connections }: { connections: readonly WatchedConnection[] }) {
  return (
    <table className="kernel-table">
      <caption className="kernel-hidden">Connections</caption>
      <thead>
        <tr>
          <th scope="col">fd</th>
          <th scope="col">peer</th>
          <th scope="col">state</th>
          <th scope="col">Recv-Q</th>
          <th scope="col">Send-Q</th>
          <th scope="col">epoll</th>
        </tr>
      </thead>
      <tbody>
        {connections.map(one => (
          <Line key={one.connection.fd} {...one} />
        ))}
      </tbody>
    </table>
  );
}

const sameProps = (a: WatchedConnection, b: WatchedConnection) => JSON.stringify(a) === JSON.stringify(b);

const Line = memo(function Line({ connection, name, watched, trap, note }: WatchedConnection) {
  const { fd, peer, state, recvQ, sendQ } = connection;
  const colour = trap ? "failed" : note ? "waiting" : undefined;
  return (
    <tr data-fd={fd} className={trap ? "trap" : undefined} title={trap ?? note ?? undefined}>
      <th scope="row">
        <FdButton fd={fd}>{fd}</FdButton>
      </th>
      <td>
        :{portOf(peer)} {name}
      </td>
      <td
        className={state === "CLOSE" ? "failed" : state === "CLOSE_WAIT" ? "waiting" : undefined}
        title={stateWords[state]}
      >
        {state}
      </td>
      <td className={recvQ > 0 ? colour : "dim"}>{number(recvQ)}</td>
      <td className={sendQ > 0 ? undefined : "dim"}>{number(sendQ)}</td>
      <td>
        {watched.map(({ epoll, trigger, events, ready, tasks }) => (
          <span key={epoll}>
            {triggerWords[trigger].short} {eventWords(events)} ·{" "}
            <span className={trap ? "failed" : ready === "listed" ? "ready" : "dim"}>
              {trap
                ? "✗ epoll will not report it"
                : ready === "silent"
                  ? "writable, and reported once"
                  : readyWords[ready]}
            </span>
            {tasks && ` · ${visible(tasks.join(", "))}`}
          </span>
        ))}
      </td>
    </tr>
  );
}, sameProps);
