// Hook. The calls of a run as React sees them: a new version at most once a frame, whatever the program does.
import { useEffect, useState } from "react";
import type { RunId } from "../../../../server-labs/protocol.ts";
import { type CallList, labs } from "../../../labs.ts";

/** @returns the growing list, and a version that changes with it. */
export function useCalls(run: RunId | null): { calls: CallList; version: number } {
  const [, setVersion] = useState(0);
  useEffect(() => {
    if (!run) return;
    let frame = 0;
    const show = () => {
      frame = 0;
      setVersion(labs.streams.calls(run).version);
    };
    const end = labs.streams.onSyscalls(run, () => {
      frame ||= requestAnimationFrame(show);
    });
    show();
    return () => {
      end();
      cancelAnimationFrame(frame);
    };
  }, [run]);
  const calls = labs.streams.calls(run);
  return { calls, version: calls.version };
}
