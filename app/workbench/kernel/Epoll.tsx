// An epoll instance, as the two lists that it is: what it watches, and what the next epoll_wait would report.
import type { KernelEpoll, KernelInterest } from "../../../server-labs/protocol.ts";
import { count, number } from "../words.ts";
import { showCallsOf } from "./show-calls.ts";
import { eventWords, triggerWords } from "./told.ts";

export function Epoll({ epoll, traps }: { epoll: KernelEpoll; traps: ReadonlySet<number> }) {
  const { fd, interest, registered, ready } = epoll;
  const listed = interest.filter(one => one.ready === "listed");
  const perhaps = interest.filter(one => one.ready === "unknown").length;
  const silent = interest.filter(one => traps.has(one.fd)).length;
  return (
    <section className="kernel-epoll" aria-label={`Epoll instance, fd ${fd}`}>
      <div className="kernel-head">
        <button type="button" className="kernel-title" onClick={() => showCallsOf(fd)} title="Show its calls">
          <b>fd {fd}</b> <span>epoll</span>
        </button>
      </div>
      <dl>
        <dt>interest list</dt>
        <dd>
          {registered === 0 && <span className="dim">empty: it watches nobody</span>}
          {interest.map(one => (
            <Chip key={one.fd} of={one} trap={traps.has(one.fd)} />
          ))}
          {registered > interest.length && (
            <span className="dim">and {number(registered - interest.length)} more</span>
          )}
        </dd>
        <dt>ready list</dt>
        <dd>
          {listed.map(one => (
            <Chip key={one.fd} of={one} trap={false} />
          ))}
          <span className="dim">{readyWords(fd, listed.length, ready, perhaps)}</span>
          {silent > 0 && (
            <span className="failed">
              ✗ {count(silent, "descriptor")} {silent === 1 ? "has" : "have"} something inside and{" "}
              {silent === 1 ? "is" : "are"} not on it
            </span>
          )}
        </dd>
      </dl>
    </section>
  );
}

function readyWords(fd: number, listed: number, ready: boolean | null, perhaps: number): string {
  if (listed > 0) return perhaps > 0 ? "and perhaps more" : "";
  if (ready === true) return "not empty; which of them is on it is not known";
  return ready === false ? "empty" : `not known now: the program is not asleep in epoll_wait(${fd})`;
}

function Chip({ of, trap }: { of: KernelInterest; trap: boolean }) {
  const { fd, events, trigger, ready } = of;
  const colour = trap ? " failed" : ready === "listed" ? " ready" : "";
  return (
    <span className={`kernel-chip${colour}`} title={`${triggerWords[trigger].long}, ${eventWords(events)}`}>
      {trap && "✗ "}
      {fd} <small>{triggerWords[trigger].short}</small>
    </span>
  );
}
