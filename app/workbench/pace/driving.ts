// Driving. Whether this page may change the pace of a program, the state of the pace bar, and the commands of its keys.
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";
import { type Breakpoint, type Pace, type RunId, shellDriver } from "../../../server-labs/protocol.ts";
import { useKeys } from "../../keys.ts";
import { labs, type RunView } from "../../labs.ts";

/** The pace of a program without a `pace` event. */
const full: Pace = {
  mode: "full",
  delayMs: 200,
  breakpoints: [],
  state: "going",
  stop: null,
  instead: null,
  driver: null,
};

export interface Driving {
  pace: Pace;
  /** Why this page cannot change the pace, in words; null when it can. */
  cannot: string | null;
  /** The other page or shell that drives; null when none does. */
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
        ? "The lab server is away: the program cannot be paced."
        : other !== null
          ? `${other === shellDriver ? "A shell" : "Another tab"} drives. Take over to drive from here.`
          : null;
  return { pace, cannot, other };
}

/** What the buttons and keys do, when this page may change the pace. */
export interface Commands {
  toggle(): void;
  step(to: "boundary" | "call" | { task: number }): void;
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

/** It goes on, so that the button pauses it. */
export const goesOn = (pace: Pace): boolean => pace.state === "going";

export function setBreakpoints(program: RunView, breakpoints: Breakpoint[]): void {
  labs.pace(program.run, { breakpoints });
}

/** The speed at which a program that waits will go on. */
const chosen = createStore<{ run: RunId; delayMs: number } | null>(() => null);

/** Milliseconds before each call, now or when it goes on; 0 is full speed. */
function speedOf(program: RunView, choice = chosen.getState()): number {
  return !goesOn(paceOf(program)) && choice?.run === program.run ? choice.delayMs : program.speed;
}

export const useSpeed = (program: RunView): number => speedOf(program, useStore(chosen));

/** Sets the speed now, or of a program that waits, for when it goes on. */
export function setSpeed(program: RunView, delayMs: number): void {
  if (goesOn(paceOf(program))) go(program, delayMs);
  else chosen.setState({ run: program.run, delayMs }, true);
}

function go({ run }: RunView, delayMs: number): void {
  chosen.setState(null, true);
  labs.pace(run, delayMs === 0 ? { mode: "full" } : { mode: "slow", delayMs });
}

/** Makes this page the driver. */
export const takeOver = (program: RunView): void => labs.drive(program.run);

/** Binds the keys that pause, continue and step, while a program runs. */
export function usePaceKeys(program: RunView | null): void {
  const commands = program && commandsOf(program);
  useKeys(
    "program",
    {
      pause: () => commands?.toggle(),
      step: () => commands?.step("boundary"),
      nextCall: () => commands?.step("call"),
    },
    program?.live ?? false,
  );
}
