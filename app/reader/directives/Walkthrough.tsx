// Walk-through. The repair in steps. It is hidden until all checks have passed or the reader asks for it.
import type { ReactNode } from "react";
import { useState } from "react";
import { useStore } from "zustand";
import { progress, setAnswer } from "../../progress.ts";
import { useLesson } from "../here.ts";

export function Walkthrough({ children }: { children?: ReactNode }) {
  const lesson = useLesson();
  const key = `${lesson?.id}/walkthrough`;
  const asked = useStore(progress, ({ answers }) => answers[key] !== undefined);
  const kept = useStore(progress, ({ checks }) => checks[lesson?.id ?? ""]);
  const passed = lesson?.lab?.checks.every(({ id }) => kept?.[id]?.state === "passed") ?? false;
  // The text below does not move under the reader's eyes when the last check passes.
  const [open] = useState(passed);
  return (
    <section className="walkthrough" aria-labelledby="walkthrough">
      <h2 id="walkthrough">The repair, step by step</h2>
      {asked || open ? (
        children
      ) : (
        <>
          <p>
            {passed
              ? "All checks pass. Compare your repair with ours:"
              : "The way from the starter to our solution, each step with its reason. Try it yourself first: the hints of a check help with one step."}
          </p>
          <button
            type="button"
            className={`button ${passed ? "primary" : ""}`}
            onClick={() => setAnswer(key, "shown")}
          >
            {passed ? "Show the steps" : "Show the steps now"}
          </button>
        </>
      )}
    </section>
  );
}

/** More lines than these are folded, so that the reasons can be read one after another. */
const most = 48;

/** The lines of one step. */
export function Diff({ lines, children }: { lines: number; children?: ReactNode }) {
  const figure = <figure className="code-block diff">{children}</figure>;
  if (lines <= most) return figure;
  return (
    <details className="saw">
      <summary>Show these {lines} lines</summary>
      {figure}
    </details>
  );
}
