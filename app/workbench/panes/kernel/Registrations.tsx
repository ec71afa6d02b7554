// Registrations. How epolls watch a descriptor, and what follows from that.
import { eventWords, readyWords, triggerWords, type WatchedDescriptor } from "./traps.ts";

export function Registrations({ watched, trap }: { watched: readonly WatchedDescriptor[]; trap: boolean }) {
  return watched.map(({ epoll, events, trigger, ready }) => (
    <span key={epoll} className="kernel-watched">
      <abbr title={triggerWords[trigger].long}>{triggerWords[trigger].short}</abbr>{" "}
      <code>{eventWords(events)}</code> <span className="dim">in epoll {epoll}</span> ·{" "}
      <span className={trap && ready === "silent" ? "failed" : ready === "listed" ? "ready" : "dim"}>
        {ready === "silent" && !trap ? "writable, and reported once" : readyWords[ready]}
      </span>
    </span>
  ));
}
