// State. The token and the port of the lab server, which it keeps between two starts in a folder that only its owner can
// read. Both stay the same on purpose: an open page finds the restarted server by itself, and the drafts in the browser
// belong to an origin, of which the port is a part.
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { replaceFile } from "../lib/atomic-save.ts";
import { homeFolder } from "../lib/home.ts";

export interface State {
  folder: string;
  /** 24 random bytes as base64url. Never in argv, in an environment, or in a log. */
  token: string;
  tokenFile: string;
  /** The port of the last start, null at the first. */
  port: number | null;
  rememberPort(port: number): Promise<void>;
}

/** Where the state is kept: $WORKBOOK_STATE, else socket-workbook in $XDG_STATE_HOME or ~/.local/state. */
export function stateFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.WORKBOOK_STATE) return resolve(env.WORKBOOK_STATE);
  // The XDG specification says that a relative path is ignored.
  const xdg = env.XDG_STATE_HOME?.startsWith("/")
    ? env.XDG_STATE_HOME
    : join(homeFolder(), ".local", "state");
  return join(xdg, "socket-workbook");
}

/**
 * Opens the state folder, creates missing files, and removes rights of other users.
 * @throws Error with a sentence when the folder cannot belong to this user alone
 */
export async function openState(folder: string): Promise<State> {
  try {
    return await open(folder);
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    throw new Error(
      `The lab server keeps its token in ${folder}, and cannot: ${error.message}. Set WORKBOOK_STATE to a folder that ` +
        "you may write to; WORKBOOK_HOME is the one for your work.",
    );
  }
}

async function open(folder: string): Promise<State> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stat = statSync(folder);
  if (!stat.isDirectory()) throw new Error(`${folder} is not a folder; move it away, or set WORKBOOK_STATE.`);
  if (stat.uid !== process.getuid!())
    throw new Error(
      `${folder} belongs to another user, who could read the token. Set WORKBOOK_STATE to a folder of your own.`,
    );
  chmodSync(folder, 0o700);
  // A crash while one of the files here was replaced leaves a part of it behind.
  for (const name of readdirSync(folder))
    if (name.endsWith(".tmp")) rmSync(join(folder, name), { force: true });

  const tokenFile = join(folder, "token");
  const portFile = join(folder, "port");
  return {
    folder,
    token: await keptToken(tokenFile),
    tokenFile,
    port: portIn(read(portFile)),
    rememberPort: port => replaceFile(portFile, `${port}\n`, 0o600),
  };
}

/**
 * The token of earlier starts, or a new one. It is kept so that an open page may reconnect after a restart; to
 * get a new one, remove the file while the lab server is stopped. A token that other users could read is replaced.
 */
async function keptToken(file: string): Promise<string> {
  const text = read(file)?.trim();
  if (text && /^[\w-]{32}$/.test(text) && (statSync(file).mode & 0o077) === 0) return text;
  const token = randomBytes(24).toString("base64url");
  await replaceFile(file, `${token}\n`, 0o600);
  return token;
}

function portIn(text: string | null): number | null {
  const port = Number(text);
  return Number.isInteger(port) && port > 0 && port < 65536 ? port : null;
}

function read(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
