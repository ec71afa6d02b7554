// One connection: who it is, what is in its queues at both ends, and whether the program will hear of it.
import { memo } from "react";
import type { KernelConnection } from "../../../server-labs/protocol.ts";
import { number } from "../words.ts";
import { FdButton } from "./FdButton.tsx";
import { Queue } from "./Queue.tsx";
import { Registrations } from "./Registrations.tsx";
import { octets, portOf, stateWords, type Watched } from "./told.ts";

interface Props {
  connection: KernelConnection;
  /** What the Clients pane calls it. */
  name: string | undefined;
  watched: readonly Watched[];
  trap: string | null;
  note: string | null;
}

const sameProps = (a: Props, b: Props) => JSON.stringify(a) === JSON.stringify(b);

export const Connection = memo(function Connection({ connection, name, watched, trap, note }: Props) {
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
        {stateWords[state]} · {nonblocking ? "non-blocking" : "blocking"}
      </p>
      {listed && (
        <dl className="kernel-queues">
          <Queue name="Recv-Q" octets={recvQ} full={trap !== null} />
          <Queue name="Send-Q" octets={sendQ} full={false} />
        </dl>
      )}
      {other && (other.recvQ > 0 || other.sendQ > 0) && (
        <p className="dim">
          At the client: {octets(other.recvQ)} not read, {number(other.sendQ)} not got through.
        </p>
      )}
      <p>
        <Registrations watched={watched} trap={trap !== null} />
      </p>
      {trap && (
        <p className="kernel-trap failed">
          <span aria-hidden="true">✗ </span>
          {trap}
        </p>
      )}
      {note && !trap && <p className="waiting">{note}</p>}
    </li>
  );
}, sameProps);
