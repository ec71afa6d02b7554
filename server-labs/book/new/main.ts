// npm run new -- lesson <chapter>/<name>. Writes a whole new lesson, and prints the next steps.
// Exit code: 0 the lesson exists, 2 it could not be made, with a sentence.
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { packageRoot as root } from "../../lib/package-root.ts";
import { BookError } from "../book.ts";
import { Misuse, referenceOf, scaffoldLesson } from "./lesson.ts";

const usage = `A new lesson, whole from the beginning: prose, figure, quiz, and a lab whose account passes.

  npm run new -- lesson <chapter>/<name>    as in: lesson non-blocking/partial-sends

  --at N         its number in the chapter (default: after the last)
  --no-lab       prose only
  --chapters D   another folder of chapters`;

try {
  main();
} catch (error) {
  const said = error instanceof Misuse || error instanceof BookError;
  process.stderr.write(`${said ? error.message : ((error as Error)?.stack ?? error)}\n`);
  process.exitCode = 2;
}

function main(): void {
  const { values, positionals } = read();
  const [what, id, ...more] = positionals;
  if (values.help) {
    console.log(usage);
    return;
  }
  if (what !== "lesson" || id === undefined || more.length > 0) throw new Misuse(usage);
  const here = process.env.INIT_CWD ?? process.cwd();
  const chapters = values.chapters === undefined ? join(root, "chapters") : resolve(here, values.chapters);
  const at = values.at === undefined ? {} : { at: Number(values.at) };
  const { folder, port } = scaffoldLesson(
    chapters,
    { id, ...at, lab: values["no-lab"] !== true },
    referenceOf(root),
  );
  const elsewhere = values.chapters === undefined ? "" : ` --chapters ${values.chapters}`;
  const start = elsewhere === "" ? "npm run dev" : `npm run dev --${elsewhere}`;
  console.log(`${relative(here, folder)} is there${port === null ? "" : `, with a lab on port ${port}`}.\n`);
  console.log(`  ${start}   # shows it at /${id}, and every change`);
  if (port !== null)
    console.log(`  npm run check -- ${id} --account${elsewhere}   # holds its lab to account`);
}

function read() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        at: { type: "string" },
        chapters: { type: "string" },
        help: { type: "boolean", short: "h" },
        "no-lab": { type: "boolean" },
      },
    });
  } catch (error) {
    throw new Misuse(`${(error as Error).message}\n\n${usage}`);
  }
}
