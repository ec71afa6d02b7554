// Test browser. A Chromium: a system one, else Debian's package when we are root, else Playwright's
// own. bubblewrap comes along where it can be had, so that the sandbox is tested and not only spoken of.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Path of a system Chromium, or "" when Playwright's own is to be used. */
export async function findChromium(): Promise<string> {
  const wanted = process.env.WORKBOOK_CHROMIUM;
  if (wanted) return wanted;
  const debian = process.getuid?.() === 0 && onPath("apt-get");
  const missing = [...(onPath(...names) ? [] : ["chromium"]), ...(onPath("bwrap") ? [] : ["bubblewrap"])];
  if (debian && missing.length > 0) {
    console.log(`Installing ${missing.join(" and ")} from Debian's packages, for the tests …`);
    // dpkg and the packages' scripts need the system's programs, whatever the PATH of the tests is.
    const env = { ...process.env, PATH: systemPath, DEBIAN_FRONTEND: "noninteractive" };
    const apt = (...args: string[]) =>
      spawnSync("apt-get", args, { stdio: ["ignore", "ignore", "inherit"], env });
    apt("update", "-qq");
    apt("install", "-y", "-qq", "--no-install-recommends", ...missing);
  }
  const system = onPath(...names);
  if (system) return system;
  console.log("No Chromium on this machine: fetching Playwright's own …");
  const fetched = spawnSync("npx", ["playwright", "install", "chromium"], { stdio: "inherit" });
  if (fetched.status !== 0) {
    console.error(
      "The browser tests need a Chromium, and Playwright's could not be fetched. Install one (Debian: sudo apt install chromium) or name one with WORKBOOK_CHROMIUM=/path/to/chromium.",
    );
    process.exit(1);
  }
  return "";
}

function onPath(...programs: string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return programs.flatMap(program => folders.map(folder => join(folder, program))).find(existsSync);
}
