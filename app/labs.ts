// Lab server. The page's only socket and its only requests to the API.
// `useStore(labs.store, …)` follows the state; output and system calls are too fast for a store and have streams.
import { bytesToHex } from "@noble/hashes/utils.js";
import { LabApi } from "./labs/api.ts";
import { LabsClient } from "./labs/client.ts";
import { Handshake } from "./labs/handshake.ts";
import { KeyRing } from "./labs/key-ring.ts";
import { openChannel, session } from "./storage.ts";

export type { Conflict, FileText } from "./labs/api.ts";
export type { CallList } from "./labs/calls.ts";
export {
  type CheckResults,
  type CheckView,
  checkResults,
  type KeptResult,
  sameTexts,
  summaryOf,
} from "./labs/check-results.ts";
export type { ConnectionState } from "./labs/connection.ts";
export type { KernelLog } from "./labs/kernel.ts";
export type { OutputEvent, OutputListener } from "./labs/output.ts";
export type { RunView } from "./labs/run-log.ts";
export { type LabsState, type LabView, noLab } from "./labs/state.ts";
export type { CallListRow } from "./labs/thin-rows.ts";
export type { VisitView } from "./labs/visits.ts";

function open(): LabsClient {
  const keys = new KeyRing({
    location,
    history,
    session,
    channel: openChannel("workbook.key"),
    addEventListener: (type, listener) => window.addEventListener(type, listener),
  });
  const request: typeof fetch = (...ask) => fetch(...ask);
  const handshake = new Handshake({
    fetch: request,
    origin: location.origin,
    keys,
    nonce: () => bytesToHex(crypto.getRandomValues(new Uint8Array(16))),
  });
  const files = new LabApi(request, handshake);
  return new LabsClient(
    {
      url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`,
      open: (url, protocols) => new WebSocket(url, protocols) as never,
      keys,
      handshake,
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
