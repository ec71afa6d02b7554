// One lab server for each state folder. Whoever holds the unix socket "lock" in it is the one; a second start
// asks it for its link. The kernel refuses connections to a socket whose process has died, so a stale lock is
// seen at once, and nothing here waits or guesses from pids.
import { linkSync, openSync, renameSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";

/** What a running lab server says of itself. */
export interface Running {
  link: string;
  pid: number;
  /** The folder of the clone that it runs from. */
  packageRoot: string;
}

export interface Instance {
  /** From now on second starts are told this; before, they wait for it. */
  announce(running: Running): void;
  release(): void;
}

/**
 * Becomes the one lab server of this state folder.
 * @returns an Instance, or what the one that is running says
 */
export async function becomeInstance(folder: string): Promise<Instance | { running: Running }> {
  const short = shortened(folder);
  const lock = join(short, "lock");
  const own = join(short, `lock.${process.pid}`);
  rmSync(own, { force: true });
  const waiting: ((running: Running) => void)[] = [];
  let said: Running | undefined;
  const server = createServer(socket => {
    socket.on("error", () => {}); // the asker may leave before it is answered
    const tell = (running: Running) => socket.end(JSON.stringify(running));
    if (said) tell(said);
    else waiting.push(tell);
  });
  await listen(server, own);
  try {
    for (;;) {
      // link(2) is atomic and never replaces: of two starts at once only one gets the name.
      try {
        linkSync(own, lock);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const running = await ask(lock);
      if (running) return giveUp(server, running);
      // Stale, it seems. Moving it away is atomic too; what was moved is looked at again, because between the
      // question and the move another start may have put its own, living lock there.
      const moved = join(short, `lock.${process.pid}.stale`);
      try {
        renameSync(lock, moved);
      } catch {
        continue;
      }
      const revived = await ask(moved);
      if (revived) {
        linkSync(moved, lock);
        rmSync(moved);
        return giveUp(server, revived);
      }
      rmSync(moved);
    }
  } finally {
    rmSync(own, { force: true });
  }
  return {
    announce(running) {
      said = running;
      for (const tell of waiting.splice(0)) tell(running);
    },
    release() {
      rmSync(lock, { force: true });
      server.close();
    },
  };
}

function giveUp(server: Server, running: Running) {
  server.close();
  return { running };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const umask = process.umask(0o177); // the socket is made 0600, there is no moment in which it is not
    server.listen(path, resolve);
    process.umask(umask);
  });
}

/** What the one behind this socket says; null if nobody is behind it. */
function ask(path: string): Promise<Running | null> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(path);
    socket.setEncoding("utf8");
    socket.setTimeout(10_000, () => {
      socket.destroy();
      reject(
        new Error(
          "Another lab server of yours is there, but has not said its link for 10 s. End it, then start again.",
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
