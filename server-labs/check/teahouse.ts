// A small site, and what strangers ask of it: whoever serves files is asked the same, whether it polls, waits in
// epoll or runs coroutines. A lab's checks say why it matters there; what was sent and wanted stands here once.
export * from "./teahouse/messages.ts";
export * from "./teahouse/site.ts";
export * from "./teahouse/targets.ts";
