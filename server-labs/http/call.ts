// Call. One request to the API, as its handler gets it.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Labs } from "../labs.ts";
import { shellDriver } from "../protocol.ts";
import type { CallerKeys } from "./caller-keys.ts";

/** A request, with the named parts of its address, and its body where the route has one. */
export type Call<Names extends string = never, Body = undefined> = {
  labs: Labs;
  keys: CallerKeys;
  request: IncomingMessage;
  response: ServerResponse;
  query: URLSearchParams;
  body: Body;
} & { readonly [Name in Names]: string };

/** The driver of a run that is paced over HTTP: a shell comes and goes with each request, so all shells are one. */
export const shell = shellDriver;
