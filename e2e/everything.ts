// What `npm test` does, in order: the quick answers first, the browser last. Each step is one sentence and one
// command; the first that fails ends it.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { findChromium } from "./chromium.ts";

const only = process.argv[2];
const steps: { name: string; sentence: string; command: () => string[] | Promise<string[]> }[] = [
  {
    name: "lint",
    sentence: "Lint and format",
    command: () => ["biome", "check", "--error-on-warnings", "."],
  },
  { name: "build", sentence: "Build", command: () => ["node", "server-labs/start.mjs", "build"] },
  { name: "types", sentence: "Types", command: () => ["npm", "run", "--silent", "types"] },
  {
    name: "units",
    sentence: "Unit tests",
    command: () => ["node", "--import", "tsx", "--test", "--test-concurrency=2", ...unitTests()],
  },
  {
    name: "content",
    sentence: "Content checks",
    command: () => ["node", "server-labs/start.mjs", "check", "--all"],
  },
  {
    name: "browser",
    sentence: "Browser tests",
    command: async () => ["playwright", "test", ...process.argv.slice(3)],
  },
];

function unitTests() {
  return ["server-labs", "app"].flatMap(room =>
    readdirSync(room, { recursive: true, encoding: "utf8" })
      .filter(file => file.endsWith(".test.ts"))
      .sort()
      .map(file => join(room, file)),
  );
}

async function run(command: string[]): Promise<number> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    stdio: "inherit",
    env: { ...process.env, PATH: `node_modules/.bin:${process.env.PATH}` },
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve(signal ? 1 : (code ?? 1)));
  });
}

if (only && !steps.some(step => step.name === only)) {
  console.error(`npm test knows no step "${only}": ${steps.map(step => step.name).join(", ")}.`);
  process.exit(1);
}
process.env.WORKBOOK_CHROMIUM = await findChromium();
for (const step of steps) {
  if (only && step.name !== only && step.name !== "build") continue;
  const began = Date.now();
  console.log(`\n── ${step.sentence}`);
  const code = await run(await step.command());
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  if (code !== 0) {
    console.error(
      `\n${step.sentence}: failed after ${seconds} s. To repeat only this: npm test -- ${step.name}`,
    );
    process.exit(code);
  }
  console.log(`── ${step.sentence}: good, ${seconds} s`);
}
