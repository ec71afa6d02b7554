// The lab server: puts the parts together, says its link, and ends in good order. Standard output has the one
// line with the link; what else there is to say goes to standard error.
import { join } from "node:path";
import { readBook } from "./book.ts";
import { canOpenBrowser, closeBrowserFile, openBrowser } from "./browser.ts";
import { openDoor } from "./front-door.ts";
import { Gate } from "./gate.ts";
import { realHome } from "./home.ts";
import { idle } from "./idle.ts";
import { becomeInstance, type Instance } from "./instance.ts";
import { Labs } from "./labs.ts";
import { listenOnLoopback } from "./listen.ts";
import { ownPackage, readOptions, usage } from "./options.ts";
import { ProblemLog } from "./problem-log.ts";
import { Runs } from "./runs.ts";
import { findSandbox } from "./sandbox.ts";
import { Sessions } from "./sessions.ts";
import { openState, type State, stateFolder } from "./state.ts";
import { servePage } from "./static.ts";
import { loadCompiler } from "./strip.ts";
import { Workspace } from "./workspace.ts";
import { workspaceFolder } from "./workspace-folder.ts";

/** From the signal to the end, whatever hangs: a supervisor waits longer than this before it kills. */
const endMs = 4_500;

async function main(): Promise<void> {
  const { root: packageRoot, version } = ownPackage();
  const options = readOptions(process.argv.slice(2), process.env, packageRoot);
  if (options.help) return console.log(usage);
  const state = await openState(stateFolder());
  const instance = await becomeInstance(state.folder);
  if ("running" in instance) {
    const { link, pid, packageRoot: from } = instance.running;
    say(`It is running already (pid ${pid}${from === packageRoot ? "" : `, from ${from}`}). Its link:`);
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
  const log = new ProblemLog(state.folder, say);
  const book = readBook(options.chapters);
  const workspace = await Workspace.open({ root: workspaceFolder(), book, packageRoot });
  const sandbox = await findSandbox(packageRoot);
  const runs = new Runs({
    book,
    workspace,
    packageRoot,
    sandbox,
    spare: process.env.WORKBOOK_SPARE !== "off",
  });
  workspace.onChange(lab => runs.foresee(lab));
  const labs = new Labs(book, workspace, runs);
  const { level, sentence } = sandbox;
  const hello = { type: "hello", version, sandbox: { level, sentence }, workspace: workspace.root } as const;
  const sessions = new Sessions(labs, hello, error => log.write(error));

  const loopback = await listenOnLoopback({ asked: options.port, remembered: state.port });
  const gate = new Gate({ port: loopback.port, token: state.token, tokenFile: state.tokenFile });
  const page = servePage(join(packageRoot, "dist/app"));
  openDoor(loopback.servers, { gate, labs, page, sessions, version, log });
  // A port that was asked for once is no wish for ever, nor is one that was taken for want of a better.
  if (options.port === undefined && (loopback.sentence === null || state.port === null))
    await state.rememberPort(loopback.port);

  const link = `http://127.0.0.1:${loopback.port}/#t=${state.token}`;
  instance.announce({ link, pid: process.pid, packageRoot });
  // Somewhere in a callback that nobody awaits: one page's mishap must not end everybody's runs.
  process.on("uncaughtException", error => log.write(error));
  endOnSignal(async () => {
    for (const server of loopback.servers) server.close();
    sessions.close();
    await Promise.all([runs.stopAll(), closeBrowserFile(workspace.root)]);
    workspace.close();
    instance.release();
  });

  console.log(`The Socket Workbook: ${link}`);
  if (loopback.sentence) say(loopback.sentence);
  say(`Your work: ${workspace.root.replace(realHome() ?? "~", "~")}. ${sentence}`);
  if (workspace.polling) say("This file system does not tell changes; they are looked for once a second.");
  // The first run does not wait for it then.
  void idle().then(loadCompiler);
  if (options.open && canOpenBrowser(process.env, process.stdout.isTTY === true))
    await openBrowser(link, workspace.root).catch(() =>
      say("No browser could be opened: open the link yourself."),
    );
}

function endOnSignal(end: () => Promise<void>): void {
  let ending = false;
  const onSignal = () => {
    // Ctrl+C comes twice: from the terminal, and passed on by whoever started this.
    if (ending) return;
    ending = true;
    setTimeout(() => process.exit(0), endMs);
    void end().finally(() => process.exit(0));
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, onSignal);
}

function say(sentence: string): void {
  console.error(sentence);
}

// Whoever reads our words may go away; that is no reason to end.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});

try {
  await main();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
