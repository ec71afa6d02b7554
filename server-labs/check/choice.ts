// What is asked of the checks on the command line.
import { parseArgs } from "node:util";

export const usage = `The checks of a lab, made of a running server.

  npm run check -- <lab>                    of your own file in the workspace
  npm run check -- <lab> --starter          of the file that one begins with
  npm run check -- <lab> --solution         of one good answer
  npm run check -- <lab> --file F           of any TypeScript file
  npm run check -- <lab> --command LINE     of any program; {port} stands for the port:
                                            --command "python3 server.py {port}"
  npm run check -- <lab> --account          holds the lab itself to account: solution, starter, mutants, hints
  npm run check -- --all                    the account of every lab

  --only ID      this check only (may be said again)
  --repeat N     so many times, telling only what failed
  --json         one JSON object a line
  --hint ID      the hints of a check, one rung at a time: --rung 2 for the second
  --chapters D   another folder of chapters`;

/** A person has asked for something that cannot be: the sentence is all they need. */
export class Misuse extends Error {}

export type Choice = ReturnType<typeof readChoice>["values"];

/** @throws Misuse for an option that is not known */
export function readChoice(args = process.argv.slice(2)) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        account: { type: "boolean" },
        all: { type: "boolean" },
        chapters: { type: "string" },
        command: { type: "string" },
        file: { type: "string" },
        help: { type: "boolean" },
        hint: { type: "string" },
        json: { type: "boolean" },
        only: { type: "string", multiple: true },
        repeat: { type: "string" },
        rung: { type: "string" },
        solution: { type: "boolean" },
        starter: { type: "boolean" },
      },
    });
  } catch (error) {
    throw new Misuse(`${(error as Error).message}\n\n${usage}`);
  }
}
