// Test steps. What `npm test` does, in order: quick answers first, the browser last. The first step that fails ends it.
// `npm test -- STEP` runs one step; `npm test -- fast` needs no build; `npm test -- browser SPEC...` runs these specs.
import { spawn, spawnSync } from "node:child_process";
import { findChromium } from "./chromium.ts";

interface Step {
  name: string;
  sentence: string;
  /** The commands, which run side by side. */
  commands(): string[][];
  /** The step reads what the step "build" makes. */
  needsBuild?: true;
}

const steps: Step[] = [
  {
    name: "lint",
    sentence: "Lint and format",
    commands: () => [["biome", "check", "--error-on-warnings", "."]],
  },
  {
    name: "fast",
    sentence: "Pure unit tests",
    commands: () => [["node", "--import", "tsx", "e2e/pure-tests.ts"]],
  },
  { name: "build", sentence: "Build", commands: () => [["node", "server-labs/start.mjs", "build"]] },
  {
    name: "types",
    sentence: "Types",
    commands: () => ["node", "app", "e2e"].map(part => ["tsc", "-p", `tsconfig.${part}.json`]),
    needsBuild: true,
  },
  {
    name: "units",
    sentence: "Unit tests with real processes",
    commands: () => [["node", "--import", "tsx", "e2e/process-tests.ts"]],
    needsBuild: true,
  },
  {
    name: "content",
    sentence: "Content checks",
    // One seed: that a mutant is caught must not depend on luck.
    commands: () => [["node", "server-labs/start.mjs", "check", "--all", "--seed", "1"]],
    needsBuild: true,
  },
  {
    name: "faults",
    sentence: "Attacks on the lab server, in their short form",
    commands: () => [["node", "--import", "tsx", "e2e/faults.ts", "--short"]],
    needsBuild: true,
  },
  {
    name: "browser",
    sentence: "Browser tests",
    commands: () => browserTests(process.argv.slice(3)),
    needsBuild: true,
  },
];

/**
 * All browser tests in two halves, each in a network of its own, where root may make one: every lab has one port, so
 * that two halves in one network would collide. Else, and for named tests, one run.
 */
function browserTests(args: string[]): string[][] {
  const all = ["playwright", "test", ...args];
  const own = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"];
  const canMakeNetwork = spawnSync(own[0]!, [...own.slice(1), "true"], { stdio: "ignore" }).status === 0;
  if (args.length > 0 || !canMakeNetwork) return [all];
  return [1, 2].map(half => [...own, ...all, `--shard=${half}/2`, `--output=test-results/${half}`]);
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

async function run([program = "", ...args]: string[]): Promise<number> {
  const child = spawn(program, args, {
    stdio: "inherit",
    env: { ...process.env, PATH: `node_modules/.bin:${process.env.PATH}` },
  });
  // SIGINT for all three: Playwright ends at no other.
  const end = () => child.kill("SIGINT");
  for (const signal of signals) process.once(signal, end);
  child.once("exit", () => {
    for (const signal of signals) process.off(signal, end);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve(signal ? 1 : (code ?? 1)));
  });
}

/** The steps that an argument asks for: all without one, else the named step, behind the build if it needs that. */
function wanted(only: string | undefined): Step[] {
  if (only === undefined) return steps;
  const step = steps.find(({ name }) => name === only);
  if (step) return step.needsBuild ? [steps.find(({ name }) => name === "build")!, step] : [step];
  console.error(`npm test knows no step "${only}": ${steps.map(({ name }) => name).join(", ")}.`);
  process.exit(1);
}

const asked = wanted(process.argv[2]);
// bubblewrap, for the tests of the sandbox, comes with it.
if (asked.some(({ name }) => name === "units" || name === "faults" || name === "browser"))
  process.env.WORKBOOK_CHROMIUM = await findChromium();
for (const step of asked) {
  const startedAt = Date.now();
  console.log(`\n── ${step.sentence}`);
  const codes = await Promise.all(step.commands().map(run));
  const code = Math.max(...codes);
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  if (code !== 0) {
    console.error(
      `\n${step.sentence}: failed after ${seconds} s. To repeat only this: npm test -- ${step.name}`,
    );
    process.exit(code);
  }
  console.log(`── ${step.sentence}: good, ${seconds} s`);
}
