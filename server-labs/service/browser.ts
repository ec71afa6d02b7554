// Browser. Opens the page in the student's browser. The link holds the ticket, and every user of the machine can read the
// arguments of a program: so the browser opens a file with mode 0600, which leads on to the link.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import open from "open";
import { replaceFile } from "../lib/atomic-save.ts";

/** Whether there is a person at a terminal, and a browser that could open a window for them. */
export function canOpenBrowser(env: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  if (!isTerminal || env.CI || env.SSH_CONNECTION) return false;
  return Boolean(env.DISPLAY || env.WAYLAND_DISPLAY || env.WSL_DISTRO_NAME);
}

/**
 * @param folder where the file is for half a minute. A packaged browser (snap, flatpak) must be able to read it, so
 *   its name does not begin with a dot
 * @throws when no browser could be started
 */
export async function openBrowser(link: string, folder: string): Promise<void> {
  const file = join(folder, "opening-the-workbook.html");
  await replaceFile(file, page(link), 0o600);
  // The browser reads it within seconds; until then it must stay, afterwards it would only be in the way.
  setTimeout(() => void closeBrowserFile(folder), 30_000).unref();
  const program = await open(file);
  program.on("error", () => {}); // the browser started and ended badly: the link is printed anyway
}

/** Removes the file, because it holds the ticket. */
export async function closeBrowserFile(folder: string): Promise<void> {
  await rm(join(folder, "opening-the-workbook.html"), { force: true });
}

function page(link: string): string {
  return `<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url=${link}">
<title>The Socket Workbook</title>
<p><a href="${link}">Open the workbook</a></p>
`;
}
