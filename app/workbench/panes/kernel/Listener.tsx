// Listener. Its accept queue: clients that the kernel has connected and the program has not accepted.
import { type KeyboardEvent, useId, useState } from "react";
import { type KernelListener, portOf } from "../../../../server-labs/protocol.ts";
import type { KernelLog } from "../../../labs.ts";
import { number } from "../../format.ts";
import { FdButton } from "./FdButton.tsx";
import { Registrations } from "./Registrations.tsx";
import { bytes, listenerTrap, type WatchedDescriptor } from "./traps.ts";

interface Props {
  listener: KernelListener;
  nameOf: KernelLog["nameOf"];
  watched: readonly WatchedDescriptor[];
}

export function ListenerCard({ listener, nameOf, watched }: Props) {
  const { fd, address, queued, backlog } = listener;
  const trap = listenerTrap(listener, watched);
  // The kernel lets one more in than the backlog says: it is full when there are more than that.
  const full = backlog !== null && queued > backlog;
  const [chosen, setChosen] = useState(0);
  const at = Math.min(chosen, listener.waiting.length - 1);
  return (
    <section className={trap ? "kernel-listener trap" : "kernel-listener"} aria-label={`Listener, fd ${fd}`}>
      <div className="kernel-head">
        <FdButton fd={fd}>
          <b>fd {fd}</b> <span>listens on {address}</span>
        </FdButton>
        <Registrations watched={watched} trap={trap !== null} />
      </div>
      <p>
        Accept queue:{" "}
        <b className={trap || full ? "failed" : queued > 0 ? "waiting" : undefined}>
          {queued === 0 ? "no client waits" : `${number(queued)} ${queued === 1 ? "waits" : "wait"}`}
        </b>
        <span className="dim">
          {backlog === null ? "" : `, backlog ${number(backlog)}`}
          {full && ": full, further clients are not let in"}
          {at >= 0 && ` · ${inWords(listener.waiting[at]!, nameOf)}`}
        </span>
      </p>
      {at >= 0 && <Waiting listener={listener} nameOf={nameOf} at={at} onChoose={setChosen} />}
      {trap && (
        <p className="kernel-trap failed">
          <span aria-hidden="true">✗ </span>
          {trap}
        </p>
      )}
    </section>
  );
}

type WaitingClient = KernelListener["waiting"][number];

/** The bytes that a client has sent: its FIN counts as one in Recv-Q. */
const sentBy = ({ state, recvQ }: WaitingClient) => Math.max(0, recvQ - (state === "CLOSE_WAIT" ? 1 : 0));

/** ":51322 client 3, 40 bytes sent already" */
function inWords(client: WaitingClient, nameOf: Props["nameOf"]): string {
  const { peer, state } = client;
  const sent = sentBy(client);
  return [
    [`:${portOf(peer)}`, nameOf({ peer, state })].filter(Boolean).join(" "),
    sent > 0 ? `${bytes(sent)} sent already` : "nothing sent yet",
    ...(state === "CLOSE_WAIT" ? ["has sent FIN"] : []),
  ].join(", ");
}

interface WaitingProps extends Pick<Props, "listener" | "nameOf"> {
  /** The one of whom something is said: the pointer or the arrow keys are on it. */
  at: number;
  onChoose(at: number): void;
}

/** A person each. */
function Waiting({ listener, nameOf, at, onChoose }: WaitingProps) {
  const { waiting, queued } = listener;
  const id = useId();
  const keys = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    onChoose(Math.max(0, Math.min(waiting.length - 1, at + step)));
  };
  return (
    <div className="kernel-waiting">
      <div
        role="listbox"
        tabIndex={0}
        aria-label="Clients in the accept queue"
        aria-activedescendant={`${id}-${at}`}
        onKeyDown={keys}
      >
        {waiting.map((one, i) => (
          <span
            key={one.peer}
            id={`${id}-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === at}
            aria-label={inWords(one, nameOf)}
            className={sentBy(one) > 0 ? "person some" : "person"}
            onPointerEnter={() => onChoose(i)}
          />
        ))}
      </div>
      {queued > waiting.length && <span className="dim">and {number(queued - waiting.length)} more</span>}
    </div>
  );
}
