// The one door to the lab server: nothing else in the page opens the socket or asks its API. The store says how
// things stand (`useStore(labs.store, …)`); output and system calls are too fast for a store and have streams.
import { Labs } from "./labs/client.ts";
import { Files } from "./labs/files.ts";
import { Token } from "./labs/token.ts";

export type { CallRow, Calls } from "./labs/calls.ts";
export type { ConnectionState } from "./labs/connection.ts";
export type { Conflict, FileText } from "./labs/files.ts";
export type { KernelLog, Point } from "./labs/kernel.ts";
export type { OutputEvent, OutputListener } from "./labs/output.ts";
export type { RunView } from "./labs/run-log.ts";
export { type LabsState, type LabView, noLab } from "./labs/standing.ts";
export type { VisitView } from "./labs/visits.ts";

function open(): Labs {
  const token = new Token({
    location,
    history,
    session: sessionStorage,
    channel: "BroadcastChannel" in window ? new BroadcastChannel("workbook.token") : null,
    addEventListener: (type, listener) => window.addEventListener(type, listener),
  });
  const files = new Files(
    (...ask) => fetch(...ask),
    () => token.value,
  );
  return new Labs(
    {
      url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`,
      open: (url, protocols) => new WebSocket(url, protocols) as never,
      probe: tried => files.probe(tried),
      token,
      onAwake: listener => {
        window.addEventListener("online", listener);
        document.addEventListener("visibilitychange", () => {
          if (document.visibilityState === "visible") listener();
        });
      },
    },
    files,
  );
}

/** The lab server, for the whole page. */
export const labs = open();
