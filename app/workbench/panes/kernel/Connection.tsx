// Connection. Its peer, the bytes in its queues at both ends, and whether epoll will report it to the program.
import { memo } from "react";
import { portOf } from "../../../../server-labs/protocol.ts";
import { number } from "../../format.ts";
import { FdButton } from "./FdButton.tsx";
import { Queue } from "./Queue.tsx";
import { Registrations } from "./Registrations.tsx";
import { bytes, stateWords } from "./traps.ts";
import type { WatchedConnection } from "./traps-of.ts";

const sameAs = (fd: number) => `The same as fd ${fd}.`;

const sameProps = (a: WatchedConnection, b: WatchedConnection) => JSON.stringify(a) === JSON.stringify(b);

export const ConnectionCard = memo(function Connection(props: WatchedConnection) {
  const { connection, name, watched, trap, note, as } = props;
  const { fd, peer, state, recvQ, sendQ, other, nonblocking } = connection;
  const listed = state !== "CLOSE";
  return (
    <li className={trap ? "kernel-card trap" : "kernel-card"} data-fd={fd}>
      <FdButton fd={fd}>
        <b>fd {fd}</b> <span>:{portOf(peer)}</span> {name && <span>{name}</span>}
      </FdButton>
      <p className="kernel-state">
        <code className={state === "CLOSE" ? "failed" : state === "CLOSE_WAIT" ? "waiting" : undefined}>
          {state}
        </code>{" "}
        {stateWords[state]}
        {nonblocking !== null && ` · ${nonblocking ? "non-blocking" : "blocking"}`}
      </p>
      {listed && (
        <dl className="kernel-queues">
          <Queue name="Recv-Q" bytes={recvQ} full={trap !== null} />
          <Queue name="Send-Q" bytes={sendQ} full={false} />
        </dl>
      )}
      {other && (other.recvQ > 0 || other.sendQ > 0) && (
        <p className="dim">
          At the peer: {bytes(other.recvQ)} not read, {number(other.sendQ)} not got through.
        </p>
      )}
      <p>
        <Registrations watched={watched} trap={trap !== null} />
      </p>
      {trap && (
        <p className="kernel-trap failed">
          <span aria-hidden="true">✗ </span>
          {as === null ? trap : sameAs(as)}
        </p>
      )}
      {note && !trap && <p className="waiting">{as === null ? note : sameAs(as)}</p>}
    </li>
  );
}, sameProps);
