// Who may say how fast a program goes, and what is said: the state of the bar in one place, and the keys' commands.
import { useEffect } from "react";
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";
import type { Breakpoint, Pace, RunId } from "../../../server-labs/protocol.ts";
import { labs, type RunView } from "../../labs.ts";

/** How a program goes that nobody has said anything about. */
const full: Pace = {
  mode: "full",
  delayMs: 200,
  breakpoints: [],
  state: "going",
  stop: null,
  driver: null,
  sentence: "runs at full speed",
};

export interface Driving {
  pace: Pace;
  /** Why nothing can be said here, in words; null when it can. */
  cannot: string | null;
  /** Another page or a shell drives: it can be relieved. */
  other: string | null;
}

const paceOf = (program: RunView): Pace => program.pace ?? full;

export function useDriving(program: RunView): Driving {
  const away = useStore(labs.store, state => state.connection !== "ready");
  const me = useStore(labs.store, state => state.hello?.page);
  return drivingOf(program, away, me);
}

function drivingOf(program: RunView, away: boolean, me: string | undefined): Driving {
  const pace = paceOf(program);
  const other = pace.driver === null || pace.driver === me ? null : pace.driver;
  const cannot = !program.live
    ? "The program has ended."
    : program.state === "stopping"
      ? "The program is being stopped."
      : away
        ? "The lab server is away: nobody can tell the program."
        : other !== null
          ? `${other.startsWith("page") ? "Another tab" : "A shell"} drives. Take over to drive from here.`
          : null;
  return { pace, cannot, other };
}

/** What one can do to a program, where one may. */
export interface Commands {
  toggle(): void;
  step(to: "boundary" | "call"): void;
}

export function commandsOf(program: RunView): Commands {
  const may = () => {
    const { connection, hello } = labs.store.getState();
    return drivingOf(program, connection !== "ready", hello?.page).cannot === null;
  };
  return {
    toggle() {
      if (!may()) return;
      if (goesOn(paceOf(program))) labs.pace(program.run, { mode: "paused" });
      else go(program, speedOf(program));
    },
    step(to) {
      if (may()) labs.step(program.run, to);
    },
  };
}

/** It goes, or is not to stop: what can be asked of it is to pause. */
export const goesOn = (pace: Pace): boolean => pace.state === "going";

export function setBreakpoints(program: RunView, breakpoints: Breakpoint[]): void {
  labs.pace(program.run, { breakpoints });
}

/** What was chosen for when it goes on, of a program that waits. */
const chosen = createStore<{ run: RunId; delayMs: number } | null>(() => null);

/** Milliseconds that it waits before each call, now or when it goes on; 0 is full speed. */
function speedOf(program: RunView, choice = chosen.getState()): number {
  return !goesOn(paceOf(program)) && choice?.run === program.run ? choice.delayMs : program.speed;
}

export const useSpeed = (program: RunView): number => speedOf(program, useStore(chosen));

/** A program that waits goes on waiting: the speed is for when it goes on. */
export function setSpeed(program: RunView, delayMs: number): void {
  if (goesOn(paceOf(program))) go(program, delayMs);
  else chosen.setState({ run: program.run, delayMs }, true);
}

function go({ run }: RunView, delayMs: number): void {
  chosen.setState(null, true);
  labs.pace(run, delayMs === 0 ? { mode: "full" } : { mode: "slow", delayMs });
}

/** Another tab or a shell drives until now. */
export const takeOver = (program: RunView): void => labs.drive(program.run);

/** F8 pauses and goes on, F9 steps to the next boundary, F10 to the next call; while a program runs, from anywhere. */
export function usePaceKeys(program: RunView | null): void {
  useEffect(() => {
    if (!program?.live) return;
    const listen = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.isComposing) return;
      if (!/^F(8|9|10)$/.test(event.key)) return;
      // Before Monaco, which has F8 for the next mistake, and the browser, which has F10 for its menu.
      event.preventDefault();
      event.stopPropagation();
      const commands = commandsOf(program);
      if (event.key !== "F8") commands.step(event.key === "F9" ? "boundary" : "call");
      else if (!event.repeat) commands.toggle();
    };
    window.addEventListener("keydown", listen, { capture: true });
    return () => window.removeEventListener("keydown", listen, { capture: true });
  }, [program]);
}
