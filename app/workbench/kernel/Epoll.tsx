// An epoll instance, as the two lists that it is: what it watches, and what the next epoll_wait would report.
import type { KernelEpoll, KernelInterest } from "../../../server-labs/protocol.ts";
import { count, number } from "../words.ts";
import { FdButton } from "./FdButton.tsx";
import { eventWords, triggerWords } from "./told.ts";

/** More registrations than this are counted, by how they are told. */
const mostChips = 24;

export function Epoll({ epoll, traps }: { epoll: KernelEpoll; traps: ReadonlySet<number> }) {
  const { fd, interest, registered, ready } = epoll;
  const listed = interest.filter(one => one.ready === "listed");
  const perhaps = interest.filter(one => one.ready === "unknown").length;
  const many = registered > mostChips;
  const chips = many ? interest.filter(one => traps.has(one.fd)) : interest;
  const silent = interest.filter(one => traps.has(one.fd)).length;
  return (
    <section className="kernel-epoll" aria-label={`Epoll instance, fd ${fd}`}>
      <div className="kernel-head">
        <FdButton fd={fd}>
          <b>fd {fd}</b> <span>epoll</span>
        </FdButton>
      </div>
      <dl>
        <dt>interest list</dt>
        <dd>
          {registered === 0 && <span className="dim">empty: it watches nobody</span>}
          {many && <span>{summary(epoll)}</span>}
          {chips.slice(0, mostChips).map(one => (
            <Chip key={one.fd} of={one} trap={traps.has(one.fd)} />
          ))}
        </dd>
        <dt>ready list</dt>
        <dd>
          {listed.slice(0, mostChips).map(one => (
            <Chip key={one.fd} of={one} trap={false} />
          ))}
          {listed.length > mostChips && (
            <span className="dim">and {number(listed.length - mostChips)} more</span>
          )}
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

/** "300 registered: 280 ET, 1 LT, 19 not shown" */
function summary({ interest, registered }: KernelEpoll): string {
  const ways = new Map<string, number>();
  for (const { trigger } of interest) {
    const { short } = triggerWords[trigger];
    ways.set(short, (ways.get(short) ?? 0) + 1);
  }
  const parts = [...ways].map(([way, times]) => `${number(times)} ${way}`);
  if (registered > interest.length) parts.push(`${number(registered - interest.length)} not shown`);
  return `${number(registered)} registered: ${parts.join(", ")}`;
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
