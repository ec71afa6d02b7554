// A listener, and the people who wait before its door: established by the kernel, not yet accepted by the program.
import { type KeyboardEvent, useId, useState } from "react";
import type { KernelListener } from "../../../server-labs/protocol.ts";
import { number } from "../words.ts";
import { FdButton } from "./FdButton.tsx";
import { Registrations } from "./Registrations.tsx";
import { listenerTrap, octets, portOf, type Watched } from "./told.ts";

interface Props {
  listener: KernelListener;
  names: ReadonlyMap<number, string>;
  watched: readonly Watched[];
}

export function Listener({ listener, names, watched }: Props) {
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
          {queued === 0 ? "nobody waits" : `${number(queued)} ${queued === 1 ? "waits" : "wait"}`}
        </b>
        <span className="dim">
          {backlog === null ? "" : `, backlog ${number(backlog)}`}
          {full && ": full, further clients are not let in"}
          {at >= 0 && ` · ${inWords(listener.waiting[at]!, names)}`}
        </span>
      </p>
      {at >= 0 && <Waiting listener={listener} names={names} at={at} onChoose={setChosen} />}
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

/** ":51322 client 3, 40 octets sent already" */
const inWords = ({ peer, state, recvQ }: WaitingClient, names: Props["names"]) =>
  [
    [`:${portOf(peer)}`, names.get(portOf(peer))].filter(Boolean).join(" "),
    recvQ > 0 ? `${octets(recvQ)} sent already` : "nothing sent yet",
    ...(state === "CLOSE_WAIT" ? ["has left again"] : []),
  ].join(", ");

interface WaitingProps extends Pick<Props, "listener" | "names"> {
  /** The one of whom something is said: the pointer or the arrow keys are on it. */
  at: number;
  onChoose(at: number): void;
}

/** A person each. */
function Waiting({ listener, names, at, onChoose }: WaitingProps) {
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
            aria-label={inWords(one, names)}
            className={one.recvQ > 0 ? "person some" : "person"}
            onPointerEnter={() => onChoose(i)}
          />
        ))}
      </div>
      {queued > waiting.length && <span className="dim">and {number(queued - waiting.length)} more</span>}
    </div>
  );
}
