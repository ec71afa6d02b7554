// Sending clients, from the menu or the pane: what could not be sent is one sentence, shown in the pane until the next
// that can.
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";
import type { VisitBody } from "../../../server-labs/protocol.ts";
import { type ConnectionState, labs, type RunView } from "../../labs.ts";
import { openPane } from "../view.ts";

const problem = createStore<{ sentence: string | null }>(() => ({ sentence: null }));

export const useVisitProblem = (): string | null => useStore(problem, state => state.sentence);

/** Sends clients against the program and shows what becomes of them. */
export async function sendVisit(program: RunView | null, body: VisitBody): Promise<void> {
  if (!program) return;
  openPane("Clients");
  const answer = await labs.visit(program.run, body);
  problem.setState({ sentence: "problem" in answer ? answer.problem : null });
}

/** Why nobody can be sent now, and what to do; null when they can. */
export function whyNot(program: RunView | null, connection: ConnectionState): string | null {
  if (connection === "locked")
    return "This page has no key to the lab server: open the link printed in the terminal.";
  if (connection !== "ready") return "The lab server is away: start it with npm start.";
  if (program && !program.live && program.visits.length > 0)
    return "The run has ended, and its visits with it: press Run, then send clients again.";
  if (!program?.live) return "Press Run first: clients come to a program that listens.";
  if (!program.listening) return "The program does not listen yet: clients can come after its listen().";
  return null;
}
