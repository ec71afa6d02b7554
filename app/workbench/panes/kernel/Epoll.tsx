// Epoll instance. Its two lists: the interest list, and the descriptors that the next epoll_wait would report.
import {
  type ClosedDescriptor,
  count,
  type KernelEpoll,
  type KernelInterest,
  portOf,
  sentence,
} from "../../../../server-labs/protocol.ts";
import { number } from "../../format.ts";
import { FdButton } from "./FdButton.tsx";
import { bytes, eventWords, readyWords, stateWords, triggerWords } from "./traps.ts";

/** More registrations than this are counted, by their trigger. */
const mostChips = 24;

export function EpollCard({ epoll, traps }: { epoll: KernelEpoll; traps: ReadonlySet<number> }) {
  const { fd, interest, registered, ready } = epoll;
  const listed = interest.filter(one => one.ready === "listed");
  const perhaps = interest.filter(one => one.ready === "unknown").length;
  const many = registered > mostChips;
  const isTrap = (one: KernelInterest) => !one.closed && traps.has(one.fd);
  const chips = many ? interest.filter(one => isTrap(one) || one.closed) : interest;
  const silent = interest.filter(isTrap).length;
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
          {registered === 0 && <span className="dim">empty: it watches no descriptor</span>}
          {many && <span>{summary(epoll)}</span>}
          {chips.slice(0, mostChips).map(one => (
            <Chip key={keyOf(one)} of={one} trap={isTrap(one)} />
          ))}
          {interest
            .flatMap(one => (one.closed ? [{ ...one, closed: one.closed }] : []))
            .slice(0, mostChips)
            .map(one => (
              <Closed key={keyOf(one)} of={one} closed={one.closed} />
            ))}
        </dd>
        <dt>ready list</dt>
        <dd>
          {listed.slice(0, mostChips).map(one => (
            <Chip key={keyOf(one)} of={one} trap={false} />
          ))}
          {listed.length > mostChips && (
            <span className="dim">and {number(listed.length - mostChips)} more</span>
          )}
          <span className="dim">{listWords(fd, listed.length, ready, perhaps)}</span>
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

function listWords(fd: number, listed: number, ready: boolean | null, perhaps: number): string {
  if (listed > 0) return perhaps > 0 ? "and perhaps more" : "";
  if (ready === true) return "not empty; which of them is on it is not known";
  return ready === false ? "empty" : `not known now: the program is not asleep in epoll_wait(${fd})`;
}

/** Two registrations may have one number: the older one's descriptor was closed. */
const keyOf = ({ fd, closed }: KernelInterest): string =>
  closed ? `${fd} closed ${closed.socket?.peer ?? ""}` : String(fd);

/** "fd 22: registered; its descriptor was closed, …: the connection with :51322, open both ways, 26 bytes to read." */
function Closed({ of: { fd, ready }, closed }: { of: KernelInterest; closed: ClosedDescriptor }) {
  const { statement, socket } = closed;
  return (
    <p className="kernel-closed waiting">
      fd {fd}: {sentence(statement)}
      {socket && socket.state === "LISTEN" && `: a listener on ${socket.local}`}
      {socket &&
        socket.state !== "LISTEN" &&
        `: the connection with :${portOf(socket.peer)}, ${stateWords[socket.state]}, ${bytes(socket.recvQ)} to read`}
      . {capital(readyWords[ready])}.
    </p>
  );
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function Chip({ of, trap }: { of: KernelInterest; trap: boolean }) {
  const { fd, events, trigger, ready, closed } = of;
  const colour = trap ? " failed" : ready === "listed" ? " ready" : "";
  return (
    <span className={`kernel-chip${colour}`} title={`${triggerWords[trigger].long}, ${eventWords(events)}`}>
      {trap && "✗ "}
      {fd}{" "}
      <small>
        {closed ? "closed, " : ""}
        {triggerWords[trigger].short}
      </small>
    </span>
  );
}
