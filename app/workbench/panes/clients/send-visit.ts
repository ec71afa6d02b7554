// Send visit. Sends clients, from the menu or the pane; why it failed is shown in the pane until the next visit.
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";
import type { VisitBody } from "../../../../server-labs/protocol.ts";
import { type ConnectionState, labs, type RunView } from "../../../labs.ts";
import { paneRows } from "../../panes.ts";
import { openPane, panesInView, view } from "../../view.ts";

const problem = createStore<{ sentence: string | null }>(() => ({ sentence: null }));

export const useVisitProblem = (): string | null => useStore(problem, state => state.sentence);

/**
 * Sends clients against the program and shows what becomes of them: in the pane that the reader looks at, if it shows what
 * clients do, else in Clients, where also a refusal is.
 */
export async function sendVisit(program: RunView | null, body: VisitBody): Promise<void> {
  if (!program) return;
  const { first, second } = panesInView(view.getState());
  const shows = paneRows.some(row => row.showsClients && (row.name === first || row.name === second));
  if (!shows) openPane("Clients");
  const answer = await labs.visit(program.run, body);
  problem.setState({ sentence: "problem" in answer ? answer.problem : null });
  if ("problem" in answer) openPane("Clients");
}

/** Why no client can be sent now, and what to do; null when one can. */
export function cannotSend(program: RunView | null, connection: ConnectionState): string | null {
  if (connection === "away" || connection === "connecting")
    return "The lab server is away: start it with npm start.";
  if (connection !== "ready") return "This page needs the newest link: open the one printed in the terminal.";
  if (program && !program.live && program.visits.length > 0)
    return "The run has ended, and its visits with it: press Run, then send clients again.";
  if (!program?.live) return "Press Run first: clients come to a program that listens.";
  if (!program.listening) return "The program does not listen yet: clients can come after its listen().";
  return null;
}
