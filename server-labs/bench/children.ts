// Children. The processes that the bench has started: they end with it, however it ends.
import type { ChildProcess } from "node:child_process";

const living = new Set<ChildProcess>();
process.on("exit", () => {
  // SIGTERM: nginx and the lab server have children of their own, and end them when they are asked to end.
  for (const child of living) child.kill("SIGTERM");
});

/** Ends this child when the bench ends. @returns the same child */
export function adopt<Child extends ChildProcess>(child: Child): Child {
  living.add(child);
  child.once("exit", () => living.delete(child));
  return child;
}
