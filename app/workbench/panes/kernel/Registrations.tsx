// Registrations. How epolls watch a descriptor, and what follows from that.
import { visible } from "../../../../server-labs/protocol.ts";
import { eventWords, readyWords, triggerWords, type WatchedDescriptor } from "./traps.ts";

/** "task client 2 waits" */
const taskWords = (tasks: readonly string[]): string =>
  `${tasks.length === 1 ? "task" : "tasks"} ${visible(tasks.join(" and "))} ${tasks.length === 1 ? "waits" : "wait"}`;

export function Registrations({ watched, trap }: { watched: readonly WatchedDescriptor[]; trap: boolean }) {
  return watched.map(({ epoll, events, trigger, ready, tasks }) => (
    <span key={epoll} className="kernel-watched">
      <abbr title={triggerWords[trigger].long}>{triggerWords[trigger].short}</abbr>{" "}
      <code>{eventWords(events)}</code> <span className="dim">in epoll {epoll}</span> ·{" "}
      <span className={trap && ready === "silent" ? "failed" : ready === "listed" ? "ready" : "dim"}>
        {ready === "silent" && !trap ? "writable, and reported once" : readyWords[ready]}
      </span>
      {tasks && <span> · {taskWords(tasks)}</span>}
    </span>
  ));
}
