// Which status of HTTP each "no" of the lab server has. The sentences are those of whoever said it.
import { Refusal } from "../answers.ts";
import { type Run, refusedEvent } from "../labs.ts";
import type { RefusedReason } from "../protocol.ts";
import type { WorkspaceError, WorkspaceProblem } from "../workspace.ts";

const statusOfRefused: Record<RefusedReason, number> = {
  "port-taken": 409,
  syntax: 422,
  unsupported: 422,
  "too-long": 422,
  unreadable: 422,
  "cannot-start": 500,
};

export function throwIfRefused(run: Run): void {
  const refused = refusedEvent(run);
  if (!refused) return;
  const { type: _type, seq: _seq, at: _at, sentence, ...fields } = refused;
  throw new Refusal(statusOfRefused[refused.reason], sentence, { fields });
}

const statusOfProblem: Record<WorkspaceProblem, number> = {
  unknown: 404,
  missing: 404,
  required: 428,
  conflict: 412,
  unfit: 422,
  storage: 507,
};

export function refusalOf({ problem, message, current }: WorkspaceError): Refusal {
  const headers: Record<string, string> = current ? { ETag: current.etag } : {};
  return new Refusal(statusOfProblem[problem], message, { fields: current ?? {}, headers });
}
