// Command line. The options of `npm run check`.
import { parseArgs } from "node:util";

export const checkUsage = `Runs the checks of a lab on a running server.

  npm run check -- <lab>                    checks your own file in the workspace
  npm run check -- <lab> --starter          checks the file that the lab starts with
  npm run check -- <lab> --solution         checks one good answer
  npm run check -- <lab> --file F           checks any TypeScript file
  npm run check -- <lab> --command LINE     checks any program; {port} is replaced by the port:
                                            --command "python3 server.py {port}"
  npm run check -- <lab> --scoreboard       checks that and the lab's rivals (nginx, Node's http), in one table
  npm run check -- <lab> --account          audits the lab itself: solution, starter, mutants, hints
  npm run check -- --all                    audits every lab

  --only ID      this check only (may be repeated)
  --seed N       the inputs of an earlier run, whose failure told its seed
  --repeat N     N times; prints failures only
  --json         one JSON object a line
  --hint ID      the first hint of a check; --rung 2 for the second
  --chapters D   another folder of chapters`;

/** The command line has a mistake; the message is a sentence for its author. */
export class UsageError extends Error {}

export type CheckOptionValues = ReturnType<typeof parseCommandLine>["values"];

/** @throws UsageError for an unknown option */
export function parseCommandLine(args = process.argv.slice(2)) {
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
        scoreboard: { type: "boolean" },
        seed: { type: "string" },
        solution: { type: "boolean" },
        starter: { type: "boolean" },
      },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${checkUsage}`);
  }
}
