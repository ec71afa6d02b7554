// The contract between the page, curl and the lab server. Everything that a program does comes back as one
// ordered list of events for each run; everything that a person asks is a request. Nothing is in here that
// has no reader. No DOM, no Node: both sides compile this file, and know the rooms behind it only through it.
export * from "./protocol/answers.ts";
export * from "./protocol/events.ts";
export * from "./protocol/kernel.ts";
export * from "./protocol/limits.ts";
export * from "./protocol/pace.ts";
export * from "./protocol/requests.ts";
export * from "./protocol/visits.ts";

export const subprotocol = { version: "lab.v1", tokenPrefix: "token." } as const;
