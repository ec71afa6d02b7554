// What the program asks of the kernel, call by call, in strace's notation.
import type { RunView } from "../../labs.ts";
import { keyNames } from "../keys.ts";
import { List } from "./List.tsx";
import { useCalls } from "./use-calls.ts";

export function SyscallsPane({ program }: { program: RunView | null }) {
  const { calls, version } = useCalls(program?.run ?? null);
  if (program && calls.length > 0) {
    return <List key={program.run} program={program} calls={calls} version={version} />;
  }
  if (program?.live) {
    return (
      <div className="pane-state">
        <p>The program has asked nothing of the kernel yet.</p>
        <p className="dim">Its calls on sockets appear here as they happen.</p>
      </div>
    );
  }
  return (
    <div className="pane-state">
      <p>{program ? "This run made no system calls on sockets." : "No system calls yet."}</p>
      <p className="dim">
        Press <kbd>{keyNames.run}</kbd>: every call that your program makes on a socket is shown here as it
        happens, with what the kernel answered.
      </p>
    </div>
  );
}
