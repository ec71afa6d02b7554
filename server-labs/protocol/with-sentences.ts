// Answers with sentences. What curl prints: each object that holds a statement holds its sentence beside it.
import { type Pace, paceStatement } from "./pace.ts";
import { type Code, codes, type Statement, sentence } from "./sentences.ts";

/**
 * The answer with sentences beside its statements, for a person who reads JSON.
 * An object with a `statement`, and a pace, gain a `sentence` as their last field; a statement elsewhere gains it inside.
 * @param answer what JSON can hold; it is not changed
 */
export function withSentences(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map(withSentences);
  if (typeof answer !== "object" || answer === null) return answer;
  const fields = Object.fromEntries(
    Object.entries(answer).map(([name, value]) => [
      name,
      name === "statement" ? value : withSentences(value),
    ]),
  );
  const statement = statementOf(answer);
  return statement === null ? fields : { ...fields, sentence: sentence(statement) };
}

/** A pace in words: "paused before recv(7, 1024)". */
export const paceSentence = (pace: Pace): string => sentence(paceStatement(pace));

/** What the object says in one sentence; null when it says nothing. */
function statementOf(value: object): Statement | null {
  if (isStatement(value)) return value;
  if ("statement" in value && isStatement(value.statement)) return value.statement;
  return isPace(value) ? paceStatement(value) : null;
}

function isStatement(value: unknown): value is Statement {
  const code = typeof value === "object" && value !== null && "code" in value ? value.code : null;
  return typeof code === "string" && codes.has(code as Code);
}

function isPace(value: object): value is Pace {
  return "mode" in value && "breakpoints" in value && "instead" in value;
}
