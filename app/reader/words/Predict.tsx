// A question to guess before running: whoever has said what will happen sees what does. The guess is kept; what to
// look at is shown once there is one.
import { type ReactNode, useId, useState } from "react";
import { useStore } from "zustand";
import { answer, progress } from "../../progress.ts";
import { useLesson } from "../here.ts";
import { partOf, partsOf } from "./parts.tsx";

export function Predict({ name, children }: { name: string; children?: ReactNode }) {
  const key = `${useLesson()?.id}/${name}`;
  const guess = useStore(progress, ({ answers }) => answers[key]);
  const question = useId();
  const options = partsOf(children, "lesson-option");
  const known = guess !== undefined;
  return (
    <section className="question" id={name} aria-labelledby={question}>
      <p className="question-title" aria-hidden="true">
        {known ? "Your guess" : "Guess first"}
      </p>
      <div id={question} className="question-text">
        {partOf(children, "lesson-question")}
      </div>
      {options.length > 0 ? (
        <div role="radiogroup" aria-labelledby={question} className="options">
          {options.map((option, index) => (
            <label key={option.key} className="option">
              <input type="radio" name={key} checked={guess === index} onChange={() => answer(key, index)} />
              <span>{option.props.children}</span>
            </label>
          ))}
        </div>
      ) : (
        <Written question={question} known={guess} onAnswer={words => answer(key, words)} />
      )}
      {/* Present from the start, so that a screen reader hears it fill. */}
      <div aria-live="polite">
        {known && (
          <div className="reveal">
            {partOf(children, "lesson-reveal")}
            <button type="button" className="link" onClick={() => answer(key, null)}>
              Guess again
            </button>
          </div>
        )}
      </div>
    </section>
  );
}

interface WrittenProps {
  question: string;
  known: number | string | undefined;
  onAnswer(words: string): void;
}

function Written({ question, known, onAnswer }: WrittenProps) {
  const [words, setWords] = useState("");
  if (known !== undefined) return <blockquote className="written">{known}</blockquote>;
  return (
    <form
      className="written"
      onSubmit={event => {
        event.preventDefault();
        if (words.trim()) onAnswer(words.trim());
      }}
    >
      <textarea
        rows={2}
        aria-labelledby={question}
        placeholder="What do you think will happen?"
        value={words}
        onChange={event => setWords(event.target.value)}
      />
      <button type="submit" className="button small" disabled={!words.trim()}>
        That is my guess
      </button>
    </form>
  );
}
