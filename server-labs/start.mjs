// Start. The one file that runs before packages are installed, so it is plain JavaScript and imports only Node.
// It makes what is missing (packages, build), then runs the program that the command names:
//   start (the lab server) · dev (the lab server and Vite) · check (a lab's checks) · new (a lesson) ·
//   bench (how fast it is here) · faults (attacks on it) · test (everything).
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [command = "start", ...args] = process.argv[2]?.startsWith("-")
  ? ["start", ...process.argv.slice(2)]
  : process.argv.slice(2);

// What Vite asks for, which builds the page: the oldest Node of each line that can require() a module.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19) || major === 21 || (major === 22 && minor < 12)) {
  fail(
    `The workbook needs Node 20.19, 22.12 or newer; this is ${process.version}. Install a newer one from https://nodejs.org/ and try again.`,
  );
}
if (process.platform !== "linux") {
  fail(
    "The workbook runs on Linux, because it teaches epoll. On Windows use WSL2, on macOS a Linux container or virtual machine.",
  );
}

/** What is built: by which script, from what, and the stamp that remembers it. */
const server = {
  script: "build:server",
  stamp: "dist/.server-built-from",
  made: ["dist/server-labs/main.js", "html/large.bin"],
  reads: ["server-labs"],
};
const page = {
  script: "build:app",
  stamp: "dist/.page-built-from",
  made: ["dist/app/index.html"],
  reads: ["app", "chapters", "server-labs"],
};

// A build for development, or an installation without what builds, is not what this script is for.
delete process.env.NODE_ENV;

/** The child process that runs now, and the signal that stopped the work. */
let worker = null;
let stopped = null;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);
endWithNpm();

// As root programs run as another user, who must be able to read what is made here, whatever root's umask is.
const umask = process.getuid() === 0 ? process.umask(0o022) : process.umask();
await install();
// Checks and new lessons need no page, and in writing mode Vite serves it: an author does not wait for one.
if (["check", "new", "faults", "dev"].includes(command)) await build(server);
else if (["start", "bench"].includes(command)) await build(server, { ...page, tolerant: true });
else if (command !== "test") await build(server, page);
process.umask(umask);

const programs = {
  dev: ["--import", "tsx", "server-labs/dev.ts"],
  check: ["dist/server-labs/check/main.js"],
  bench: ["dist/server-labs/bench/main.js"],
  new: ["dist/server-labs/book/new/main.js"],
  faults: ["--import", "tsx", "e2e/faults.ts"],
  test: ["--import", "tsx", "e2e/everything.ts"],
};
if (command === "start") await supervise(["dist/server-labs/main.js", ...args]);
else if (Object.hasOwn(programs, command)) {
  const { code } = await run([...programs[command], ...args]);
  process.exitCode = code ?? 1;
} else if (command !== "build")
  fail(`There is no "${command}": use start, dev, check, bench, new, faults, test or build.`);

/**
 * Installs the packages when package-lock.json is not the one that was installed, or a package is missing. The stamp
 * is written when everything is there: npm obeys settings of the user's (omit, ignore-scripts, NODE_ENV) that leave
 * packages out without an error.
 */
async function install() {
  const stamp = join(root, "node_modules", ".installed-lock");
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (read(stamp) === lock && missingPackages().length === 0) return;
  say("Installing packages (once; later starts work offline) …");
  // "prepare" would build the server a first time here; build() does it when it is needed.
  const whole = ["--include=dev", "--include=optional", "--ignore-scripts=false"];
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  const npm = await spawned("npm", ["ci", ...whole, ...quiet], ["ignore", 2, 2]);
  if (npm.error)
    fail(`npm could not be started (${npm.error.message}). It comes with Node; is it on the PATH?`);
  if (npm.code !== 0)
    fail("npm ci did not succeed; its output is above. The first start needs the npm registry.");
  const missing = missingPackages();
  if (missing.length > 0)
    fail(
      `npm ci ended without an error, and did not install ${missing.join(", ")}. A setting of npm may leave packages out: look at npm config ls -l, then remove node_modules and try again.`,
    );
  writeFileSync(stamp, lock);
}

/** The packages that package.json names and that node_modules does not have. */
function missingPackages() {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const names = Object.keys({ ...dependencies, ...devDependencies });
  return names.filter(name => !existsSync(join(root, "node_modules", name, "package.json")));
}

/**
 * Builds each part of which a source is not the one that its last build saw. A tolerant part is built with what can be
 * read of chapters/; when that does not succeed either, the last build serves. What was built so is built again where a
 * mistake must be an error.
 */
async function build(...parts) {
  for (const { script, stamp, made, reads, tolerant = false } of parts) {
    const sources = fingerprint(reads);
    const tolerated = `${sources} tolerant`;
    const seen = read(join(root, stamp));
    const isBuilt = seen === sources || (tolerant && seen === tolerated);
    if (isBuilt && made.every(file => existsSync(join(root, file)))) continue;
    say(script === "build:app" ? "Building the page …" : "Building …");
    // prepare makes it too, but not where install scripts are switched off.
    await spawned(process.execPath, ["server-labs/make-large-file.mjs"], "inherit");
    const env = tolerant ? { ...process.env, WORKBOOK_MISTAKES: "tell" } : process.env;
    const npm = await spawned("npm", ["run", "--silent", script], ["ignore", "pipe", "inherit"], env);
    if (npm.code !== 0) {
      process.stderr.write(npm.stdout);
      const failed = `npm run ${script} did not succeed; its output is above.`;
      if (!tolerant || !made.every(file => existsSync(join(root, file)))) fail(failed);
      say(`${failed} The page is the one that was built before.`);
      continue;
    }
    mkdirSync(dirname(join(root, stamp)), { recursive: true });
    writeFileSync(join(root, stamp), tolerant ? tolerated : sources);
  }
}

/** Names, sizes and times of everything that a build reads. */
function fingerprint(reads) {
  const hash = createHash("sha256").update(process.version);
  const visit = path => {
    const stat = statSync(join(root, path));
    if (stat.isDirectory()) for (const name of readdirSync(join(root, path)).sort()) visit(join(path, name));
    else hash.update(`${path} ${stat.size} ${stat.mtimeMs}\n`);
  };
  const files = readdirSync(root).filter(name => /^(package.*|tsconfig.*|vite\.config\..*)$/.test(name));
  for (const path of [...reads, ...files.sort()]) visit(path);
  return hash.digest("hex");
}

/** Runs the lab server; starts it again when it is killed from outside, so that the page finds it again. */
async function supervise(argv, deaths = []) {
  const { code, signal } = await run(argv);
  const now = Date.now();
  const recent = [...deaths.filter(at => now - at < 60_000), now];
  if (signal === null || ["SIGINT", "SIGTERM", "SIGHUP"].includes(signal)) process.exitCode = code ?? 0;
  else if (recent.length > 3)
    fail(`The lab server was ended by ${signal} ${recent.length} times in a minute; giving up.`);
  else {
    say(
      `The lab server was ended by ${signal}. Starting it again; its runs ended with it, saved text is safe.`,
    );
    await supervise(argv.includes("--no-open") ? argv : [...argv, "--no-open"], recent);
  }
}

/** Runs a program of the workbook until it ends; it ends with this process, even when SIGKILL ends this one. */
function run(argv) {
  const imports = ["--import", "./server-labs/end-with-parent.mjs"];
  return spawned(process.execPath, [...imports, ...argv], ["inherit", "inherit", "inherit", "ipc"]);
}

/** Runs one program until it ends. Signals to this process go to it, and no other program is started after one. */
async function spawned(program, argv, stdio, env = process.env) {
  if (stopped) process.exit(1);
  const child = spawn(program, argv, { cwd: root, stdio, env });
  worker = child;
  let stdout = "";
  child.stdout?.setEncoding("utf8").on("data", chunk => {
    stdout += chunk;
  });
  const ending = await new Promise(resolve => {
    child.on("error", error => resolve({ code: null, signal: null, error }));
    child.on("close", (code, signal) => resolve({ code, signal }));
  });
  worker = null;
  // The program that was stopped has printed all that there is to say.
  if (stopped) process.exit(ending.code ?? (command === "start" ? 0 : 1));
  return { ...ending, stdout };
}

function stop(signal) {
  stopped = signal;
  // Between two programs there is no child to wait for.
  if (worker) worker.kill(signal);
  else process.exit(1);
}

/** npm passes SIGINT and SIGTERM on, but not SIGHUP and SIGKILL, of which it dies: this process looks at its parent. */
function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const npm = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(timer);
    stop("SIGTERM");
  }, 250).unref();
}

function read(path) {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

function say(sentence) {
  process.stderr.write(`${sentence}\n`);
}

function fail(sentence) {
  say(sentence);
  process.exit(1);
}
