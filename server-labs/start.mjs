// The one file that runs before anything is installed, so it is plain JavaScript and imports only Node.
// It makes what is missing (packages, build), then hands over to the program that was asked for:
//   start (the lab server) · dev (the lab server and Vite) · check (a lab's checks) · new (a lesson) ·
//   bench (how fast it is here) · test (everything).
import { spawn, spawnSync } from "node:child_process";
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

// As root programs run as another user, who must be able to read what is made here, whatever root's umask says.
const umask = process.getuid() === 0 ? process.umask(0o022) : process.umask();
install();
// Checks and new lessons need no page: whoever edits a lesson does not wait for one.
if (command === "check" || command === "new") build(server);
else if (command !== "test") build(server, page);
process.umask(umask);

if (command === "start") supervise(["dist/server-labs/main.js", ...args]);
else if (command === "dev") run("node", ["--import", "tsx", "server-labs/dev.ts", ...args]);
else if (command === "check") run("node", ["dist/server-labs/check/main.js", ...args]);
else if (command === "bench") run("node", ["dist/server-labs/bench/main.js", ...args]);
else if (command === "new") run("node", ["dist/server-labs/new/main.js", ...args]);
else if (command === "test") run("node", ["--import", "tsx", "e2e/everything.ts", ...args]);
else if (command !== "build")
  fail(`There is no "${command}": use start, dev, check, bench, new, test or build.`);

/** Installs the packages when package-lock.json is not the one that was installed. */
function install() {
  const stamp = join(root, "node_modules", ".installed-lock");
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (read(stamp) === lock) return;
  say("Installing packages (once; later starts work offline) …");
  // prepare would build the server a first time here; build() does it when it is needed.
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (npm.error)
    fail(`npm could not be started (${npm.error.message}). It comes with Node; is it on the PATH?`);
  if (npm.status !== 0)
    fail("npm ci did not succeed; its words are above. The first start needs the npm registry.");
  writeFileSync(stamp, lock);
}

/** Builds each part of which a source is not the one that its last build saw. */
function build(...parts) {
  for (const { script, stamp, made, reads } of parts) {
    const sources = fingerprint(reads);
    if (read(join(root, stamp)) === sources && made.every(file => existsSync(join(root, file)))) continue;
    say(script === "build:app" ? "Building the page …" : "Building …");
    // prepare makes it too, but not where install scripts are switched off.
    spawnSync(process.execPath, ["server-labs/make-large-file.mjs"], { cwd: root, stdio: "inherit" });
    const npm = spawnSync("npm", ["run", "--silent", script], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
      encoding: "utf8",
    });
    if (npm.status !== 0) {
      process.stderr.write(npm.stdout);
      fail(`npm run ${script} did not succeed; its words are above.`);
    }
    mkdirSync(dirname(join(root, stamp)), { recursive: true });
    writeFileSync(join(root, stamp), sources);
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

/** Runs the lab server; when it is killed from outside, starts it again, so that the page finds it back. */
function supervise(argv, deaths = []) {
  const child = spawn(process.execPath, argv, { cwd: root, stdio: "inherit" });
  const forward = signal => child.kill(signal);
  process.on("SIGINT", forward).on("SIGTERM", forward);
  child.on("exit", (code, signal) => {
    process.off("SIGINT", forward).off("SIGTERM", forward);
    const now = Date.now();
    const recent = [...deaths.filter(at => now - at < 60_000), now];
    if (signal === null || signal === "SIGINT" || signal === "SIGTERM") process.exitCode = code ?? 0;
    else if (recent.length > 3)
      fail(`The lab server was ended by ${signal} ${recent.length} times in a minute; giving up.`);
    else {
      say(
        `The lab server was ended by ${signal}. Starting it again; its runs ended with it, saved text is safe.`,
      );
      supervise(argv.includes("--no-open") ? argv : [...argv, "--no-open"], recent);
    }
  });
}

function run(program, argv) {
  const child = spawn(program === "node" ? process.execPath : program, argv, { cwd: root, stdio: "inherit" });
  process.on("SIGINT", signal => child.kill(signal)).on("SIGTERM", signal => child.kill(signal));
  child.on("exit", (code, signal) => {
    process.exitCode = signal ? 1 : (code ?? 1);
  });
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
