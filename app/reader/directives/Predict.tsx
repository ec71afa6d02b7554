// Prediction. A question to answer before the program runs. The guess is kept; what to look at appears after it.
import { type ReactNode, useId, useState } from "react";
import { useStore } from "zustand";
import { progress, setAnswer } from "../../progress.ts";
import { useLesson } from "../here.ts";
import { partOf, partsOf } from "./parts.tsx";

export function Predict({ name, children }: { name: string; children?: ReactNode }) {
  const key = `${useLesson()?.id}/${name}`;
  const guess = useStore(progress, ({ answers }) => answers[key]);
  const question = useId();
  const options = partsOf(children, "lesson-option");
  const known = guess !== undefined;
  const hasRight = options.some(option => option.props.correct);
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
            <div key={option.key} className="answer">
              <label
                className={`option ${known ? verdict(option.props.correct, guess === index, hasRight) : ""}`}
              >
                <input
                  type="radio"
                  name={key}
                  checked={guess === index}
                  onChange={() => setAnswer(key, index)}
                />
                <span>
                  {partOf(option.props.children, "lesson-choice")}
                  {known && hasRight && (option.props.correct || guess === index) && (
                    <Verdict isRight={option.props.correct === true} />
                  )}
                </span>
              </label>
              {known && <Why>{partOf(option.props.children, "lesson-explanation")}</Why>}
            </div>
          ))}
        </div>
      ) : (
        <Written question={question} known={guess} onAnswer={words => setAnswer(key, words)} />
      )}
      {/* Present from the start, so that a screen reader hears it fill. */}
      <div aria-live="polite">
        {known && (
          <div className="reveal">
            {partOf(children, "lesson-reveal")}
            <button type="button" className="link" onClick={() => setAnswer(key, null)}>
              Guess again
            </button>
          </div>
        )}
      </div>
    </section>
  );
}

/** The class of an option once the reader has guessed; a question without a right answer has no verdict. */
const verdict = (correct: boolean | undefined, mine: boolean, hasRight: boolean): string =>
  !hasRight ? "" : correct ? "right" : mine ? "wrong" : "";

/** Why an answer is right or wrong, once the reader has guessed. */
function Why({ children }: { children?: ReactNode }) {
  return children ? <div className="explanation">{children}</div> : null;
}

function Verdict({ isRight }: { isRight: boolean }) {
  return (
    <strong className={`verdict ${isRight ? "ready" : "failed"}`}>
      {isRight ? "✓ so it is" : "✕ not so"}
    </strong>
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
