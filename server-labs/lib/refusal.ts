// Refusal. The error with which any part of the lab server refuses a request: a code with its parameters.
// What a code means to a caller over HTTP, its status and headers, is a table in http/; its sentence, one in protocol/.
import { type ProblemStatement, sentence } from "../protocol.ts";

export class Refusal extends Error {
  override name = "Refusal";
  readonly statement: ProblemStatement;

  constructor(statement: ProblemStatement) {
    super(sentence(statement));
    this.statement = statement;
  }
}
