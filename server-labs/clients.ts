// Clients. Real TCP clients on one epoll loop, for checks, visits and load.

export { Client } from "./clients/client.ts";
export type { ClientOptions, ClientState } from "./clients/client-connection.ts";
export { type Answer, type FramingFault, type PartialAnswer, readAnswer } from "./clients/http-answer.ts";
export { Journal, quoted } from "./clients/journal.ts";
export { Network } from "./clients/network.ts";
export { defaultWaitMs, Poller, throttle, type Within } from "./clients/poller.ts";
export { connecting, listenDrops, listeners, socketByPorts, tcpSockets } from "./clients/sock-diag.ts";
