// The processes that the bench has started: none outlives it, however it ends.
import type { ChildProcess } from "node:child_process";

const living = new Set<ChildProcess>();
process.on("exit", () => {
  // SIGTERM: nginx and the lab server have children of their own, and end them when they are asked to end.
  for (const child of living) child.kill("SIGTERM");
});

/** Ends this process with ours. @returns the same process */
export function adopt<Child extends ChildProcess>(child: Child): Child {
  living.add(child);
  child.once("exit", () => living.delete(child));
  return child;
}
