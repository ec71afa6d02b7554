// How a descriptor is watched, and what can be concluded of it.
import { eventWords, readyWords, triggerWords, type Watched } from "./told.ts";

export function Registrations({ watched, trap }: { watched: readonly Watched[]; trap: boolean }) {
  return watched.map(({ epoll, events, trigger, ready }) => (
    <span key={epoll} className="kernel-watched">
      <abbr title={triggerWords[trigger].long}>{triggerWords[trigger].short}</abbr>{" "}
      <code>{eventWords(events)}</code> <span className="dim">in epoll {epoll}</span> ·{" "}
      <span className={trap && ready === "silent" ? "failed" : ready === "listed" ? "ready" : "dim"}>
        {ready === "silent" && !trap ? "writable, and told of it" : readyWords[ready]}
      </span>
    </span>
  ));
}
