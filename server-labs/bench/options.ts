// Options. The command line of the bench.
import { parseArgs } from "node:util";

export const sections = ["start", "requests", "files", "idle", "trace", "tasks", "wrapper"] as const;
export type Section = (typeof sections)[number];

export const benchUsage = `npm run bench -- [options]      how fast it is here, against its rivals, as ratios of one run

  --only a,b       these sections only: ${sections.join(", ")}
  --rounds N       so many rounds of each pair (else 7)
  --seconds N      how long a server is measured in a round (else 0.7)
  --python FILE    a Python server to measure too, started as: python3 FILE PORT
  --json [FILE]    as JSON, instead of the table or into a file beside it`;

export interface BenchOptions {
  only: ReadonlySet<Section>;
  rounds: number;
  seconds: number;
  python: string | undefined;
  /** "" for standard output; null: no JSON. */
  json: string | null;
  help: boolean;
}

/** @throws Error with a sentence for what is not known or makes no sense */
export function readBenchOptions(args: string[]): BenchOptions {
  // parseArgs knows no option whose value may be left out.
  const given = args.flatMap((arg, i) =>
    arg === "--json" && (args[i + 1] ?? "--").startsWith("--") ? ["--json="] : [arg],
  );
  const { values } = parseArgs({
    args: given,
    options: {
      only: { type: "string" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      python: { type: "string" },
      json: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  const only = values.only?.split(",") ?? sections;
  for (const name of only)
    if (!sections.includes(name as Section))
      throw new Error(`There is no section "${name}". There is: ${sections.join(", ")}.`);
  const rounds = Number(values.rounds ?? 7);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1000)
    throw new Error(`--rounds takes a number from 1 to 1000, not "${values.rounds}".`);
  const seconds = Number(values.seconds ?? 0.7);
  if (!(seconds > 0 && seconds <= 60))
    throw new Error(`--seconds takes a number up to 60, not "${values.seconds}".`);
  return {
    only: new Set(only as Section[]),
    rounds,
    seconds,
    python: values.python,
    json: values.json ?? null,
    help: values.help ?? false,
  };
}
