// Quiz. Each choice says at once whether it is right, and why. The last choice is kept, and the reader may change it.
import { type ReactNode, useId } from "react";
import { useStore } from "zustand";
import { progress, setAnswer } from "../../progress.ts";
import { useLesson } from "../here.ts";
import { partOf, partsOf } from "./parts.tsx";

export function Quiz({ name, children }: { name: string; children?: ReactNode }) {
  const key = `${useLesson()?.id}/${name}`;
  const chosen = useStore(progress, ({ answers }) => answers[key]);
  const question = useId();
  const options = partsOf(children, "lesson-option");
  return (
    <section className="question" id={name} aria-labelledby={question}>
      <p className="question-title" aria-hidden="true">
        Do you see why?
      </p>
      <div id={question} className="question-text">
        {partOf(children, "lesson-question")}
      </div>
      <div role="radiogroup" aria-labelledby={question} className="options">
        {options.map((option, index) => {
          const { correct, children: inside } = option.props;
          const mine = chosen === index;
          return (
            <div key={option.key} className="answer">
              <label className={`option ${mine ? (correct ? "right" : "wrong") : ""}`}>
                <input type="radio" name={key} checked={mine} onChange={() => setAnswer(key, index)} />
                <span>{partOf(inside, "lesson-choice")}</span>
              </label>
              <div aria-live="polite">
                {mine && (
                  <div className="explanation">
                    <strong className={correct ? "ready" : "failed"}>
                      {correct ? "✓ Right. " : "✕ Not so. "}
                    </strong>
                    {partOf(inside, "lesson-explanation")}
                  </div>
                )}
              </div>
            </div>
          );
        })}
      </div>
    </section>
  );
}
