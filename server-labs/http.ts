// HTTP. The lab server's callers: requests, routes, WebSocket sessions, the built page.
export { devGate } from "./http/dev-gate.ts";
export { Gate } from "./http/gate.ts";
export { listenOnLoopback } from "./http/listen.ts";
export { serve } from "./http/server.ts";
export { Sessions } from "./http/sessions.ts";
export { servePage } from "./http/static.ts";
