// The name of a descriptor, wherever the Kernel pane says it: a click shows its calls.
import type { ReactNode } from "react";
import { filterCalls } from "../syscalls/filter.ts";

export function FdButton({ fd, children }: { fd: number; children: ReactNode }) {
  return (
    <button type="button" className="kernel-title" onClick={() => filterCalls({ fd })} title="Show its calls">
      {children}
    </button>
  );
}
