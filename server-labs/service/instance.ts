// Instance. One lab server for each state folder: the one that holds the highest numbered lock in it, a unix socket; a
// second start asks it for its link. The kernel refuses connections to a socket whose process has died, so a stale lock is
// found at once, without a wait and without a guess from pids.
import { linkSync, openSync, readdirSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { withoutHardLinks } from "../lib/atomic-save.ts";

/** What a running lab server answers to a second start. */
export interface Running {
  link: string;
  pid: number;
  /** The folder of the clone that it runs from. */
  packageRoot: string;
}

export interface Instance {
  /** Answers second starts with this from now on; they wait until it is called. */
  announce(running: Running): void;
  release(): void;
}

/**
 * Becomes the one lab server of this state folder.
 * @returns an Instance, or the answer of the lab server that is running
 */
export async function becomeInstance(folder: string): Promise<Instance | { running: Running }> {
  const short = shortened(folder);
  const own = join(short, `start.${process.pid}`);
  rmSync(own, { force: true });
  const waiting: ((running: Running) => void)[] = [];
  let announced: Running | undefined;
  const server = createServer(socket => {
    socket.on("error", () => {}); // the second start may end before it is answered
    const answer = (running: Running) => socket.end(JSON.stringify(running));
    if (announced) answer(announced);
    else waiting.push(answer);
  });
  await listen(server, own);
  try {
    const running = await lockOrAsk(short, own, folder);
    if (running) {
      server.close();
      return { running };
    }
  } catch (error) {
    server.close();
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
  return {
    announce(running) {
      announced = running;
      for (const answer of waiting.splice(0)) answer(running);
    },
    release() {
      server.close(); // the lock stays, stale: see takeNumber
    },
  };
}

/**
 * Gives the listening socket `own` the next lock number.
 * @returns the answer of the lab server that holds the highest lock, or null when it is ours
 */
async function lockOrAsk(short: string, own: string, folder: string): Promise<Running | null> {
  for (;;) {
    const highest = Math.max(0, ...numbersIn(short));
    const running = highest > 0 ? await ask(lockOf(short, highest)) : null;
    if (running) return running;
    try {
      if (takeNumber(short, own, highest + 1)) return null;
    } catch (error) {
      if (!withoutHardLinks(error)) throw error;
      throw new Error(
        `${folder} is on a file system without hard links, and the lab server needs one there for its lock. Choose a folder on a disk of this machine: WORKBOOK_STATE=/var/tmp/socket-workbook npm start`,
      );
    }
  }
}

/**
 * link(2) is atomic and never replaces: of many starts only one gets a number. A start that looked long ago may still get
 * one that was removed since; it sees a higher number then, because the highest is never removed.
 */
function takeNumber(short: string, own: string, number: number): boolean {
  try {
    linkSync(own, lockOf(short, number));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
  const numbers = numbersIn(short);
  const taken = Math.max(...numbers) === number;
  for (const one of taken ? numbers.filter(other => other < number) : [number])
    rmSync(lockOf(short, one), { force: true });
  return taken;
}

const lockOf = (folder: string, number: number) => join(folder, `lock.${number}`);

function numbersIn(folder: string): number[] {
  return readdirSync(folder).flatMap(name => Number(/^lock\.([1-9]\d{0,14})$/.exec(name)?.[1] ?? []));
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const umask = process.umask(0o177); // the socket is made 0600, there is no moment in which it is not
    server.listen(path, resolve);
    process.umask(umask);
  });
}

/** The answer of the lab server behind this socket; null when no process is behind it. */
function ask(path: string): Promise<Running | null> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(path);
    socket.setEncoding("utf8");
    socket.setTimeout(10_000, () => {
      socket.destroy();
      reject(
        new Error(
          "Another lab server of yours is running, but it has not sent its link for 10 s. End it, then start again.",
        ),
      );
    });
    socket.on("data", chunk => {
      text += chunk;
    });
    socket.on("error", () => {}); // refused, or gone: "close" follows
    socket.on("close", () => resolve(parse(text)));
  });
}

function parse(text: string): Running | null {
  try {
    return JSON.parse(text) as Running;
  } catch {
    return null;
  }
}

/** sun_path holds 107 bytes, unix(7); a folder with a longer path is reached through an fd of ours instead. */
function shortened(folder: string): string {
  if (Buffer.byteLength(folder) < 70) return folder;
  return `/proc/self/fd/${openSync(folder, "r")}`;
}
