// Lab server. Puts the parts together, prints its link, and ends in good order.
// Standard output has the one line with the link; everything else goes to standard error.
import { join } from "node:path";
import { LiveBook, problemLines } from "./book.ts";
import { Gate, listenOnLoopback, Sessions, serve, servePage } from "./http.ts";
import { Labs } from "./labs.ts";
import { realHome } from "./lib/home.ts";
import { packageRoot, packageVersion } from "./lib/package-root.ts";
import { whenIdle } from "./lib/when-idle.ts";
import { Compiler } from "./modules.ts";
import { findCgroups, findSandbox, inCgroups } from "./process.ts";
import { sentence, visible } from "./protocol.ts";
import { Runs } from "./runs.ts";
import {
  becomeInstance,
  canOpenBrowser,
  closeBrowserFile,
  type Instance,
  openBrowser,
  openState,
  ProblemLog,
  proxyAdvice,
  readOptions,
  type State,
  stateFolder,
  usage,
} from "./service.ts";
import { Workspace, workspaceFolder } from "./workspace.ts";

/** The longest time from the signal to the end, in milliseconds: a supervisor waits longer before it kills. */
const endMs = 4_500;

async function main(): Promise<void> {
  const version = packageVersion();
  const options = readOptions(process.argv.slice(2), process.env, packageRoot);
  if (options.help) return console.log(usage);
  const state = await openState(stateFolder());
  const instance = await becomeInstance(state.folder);
  if ("running" in instance) {
    const { link, pid, packageRoot: from } = instance.running;
    print(`It is running already (pid ${pid}${from === packageRoot ? "" : `, from ${from}`}). Its link:`);
    return console.log(link);
  }
  try {
    await start(options, state, instance, packageRoot, version);
  } catch (error) {
    instance.release();
    throw error;
  }
}

async function start(
  options: ReturnType<typeof readOptions>,
  state: State,
  instance: Instance,
  packageRoot: string,
  version: string,
): Promise<void> {
  const log = new ProblemLog(state.folder, print);
  const book = new LiveBook(options.chapters);
  if (book.labs.length === 0) throw new Error(problemLines(book.problems));
  const workspace = await Workspace.open({ root: workspaceFolder(), book, packageRoot });
  // Processes are moved while the sandbox is tried.
  const [found, cgroups] = await Promise.all([findSandbox(packageRoot), findCgroups()]);
  const sandbox = inCgroups(found, cgroups);
  const compiler = new Compiler();
  const runs = new Runs({
    book,
    workspace,
    packageRoot,
    sandbox,
    strip: compiler.strip,
    spare: process.env.WORKBOOK_SPARE !== "off",
    unexpected: error => log.write(error),
  });
  workspace.onChange(lab => runs.foresee(lab));
  const labs = new Labs(book, workspace, runs);
  const { level, statement } = sandbox;
  const hello = { type: "hello", version, sandbox: { level, statement }, workspace: workspace.root } as const;
  const sessions = new Sessions(labs, hello, error => log.write(error));

  const loopback = await listenOnLoopback({ asked: options.port, remembered: state.port });
  const gate = new Gate({
    port: loopback.port,
    token: state.token,
    tokenFile: state.tokenFile,
    origins: options.origins,
  });
  const page = servePage(join(packageRoot, "dist/app"));
  serve(loopback.servers, { gate, labs, page, sessions, version, log });
  // A port that was asked for once is not remembered, nor is one that was used because the remembered one was taken.
  if (options.port === undefined && (loopback.sentence === null || state.port === null))
    await state.rememberPort(loopback.port);

  // The token would stay in the terminal's scrollback and in the browser's history.
  const { ticket } = gate.keys;
  const link = `http://127.0.0.1:${loopback.port}/#t=${ticket}`;
  instance.announce({ link, pid: process.pid, packageRoot });
  // An error in a callback that no promise awaits: the mishap of one page must not end the runs of all.
  process.on("uncaughtException", error => log.write(error));
  // In writing mode chapters/ changes while the lab server goes on.
  process.on("message", message => {
    if (message === "book changed") book.refresh();
  });
  endOnSignal(async () => {
    for (const server of loopback.servers) server.close();
    sessions.close();
    await Promise.all([runs.stopAll(), closeBrowserFile(workspace.root)]);
    workspace.close();
    compiler.close();
    instance.release();
  });

  console.log(`The Socket Workbook: ${link}`);
  if (loopback.sentence) print(loopback.sentence);
  print(`Your work: ${workspace.root.replace(realHome() ?? "~", "~")}. ${sentence(statement)}`);
  if (book.problems.length > 0) print(problemLines(book.problems));
  if (workspace.polling)
    print("inotify reports no changes on this file system: the lab server looks for them once a second.");
  for (const origin of options.origins) print(`Also at ${origin}/#t=${ticket}`);
  const advice = proxyAdvice(process.env);
  if (advice) print(advice);
  // The first run does not wait for it then.
  void whenIdle().then(() => compiler.load());
  if (options.open && canOpenBrowser(process.env, process.stdout.isTTY === true))
    await openBrowser(link, workspace.root).catch(() => print("No browser opened: open the link yourself."));
}

function endOnSignal(end: () => Promise<void>): void {
  let ending = false;
  const onSignal = () => {
    // Ctrl+C comes twice: from the terminal, and passed on by npm.
    if (ending) return;
    ending = true;
    setTimeout(() => process.exit(0), endMs);
    void end().finally(() => process.exit(0));
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, onSignal);
}

/** A sentence may quote the name of a process or a file, which commands no terminal. */
function print(words: string): void {
  console.error(visible(words, "\n"));
}

// The reader of our output may go away; the lab server goes on.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});

try {
  await main();
} catch (error) {
  print(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
