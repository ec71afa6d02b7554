// From what is seen here to the calls that made it so.
import { openPane } from "../view.ts";

/** Opens Syscalls, for the calls on this descriptor. */
export function showCallsOf(_fd: number): void {
  openPane("Syscalls");
}
