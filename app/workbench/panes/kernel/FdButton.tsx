// Descriptor button. The name of a descriptor in the Kernel pane; a click shows its calls.
import type { ReactNode } from "react";
import { filterCalls } from "../syscalls.ts";

export function FdButton({ fd, children }: { fd: number; children: ReactNode }) {
  return (
    <button type="button" className="kernel-title" onClick={() => filterCalls({ fd })} title="Show its calls">
      {children}
    </button>
  );
}
