// Why the sandbox cannot be had on this machine, and the one line for a shell that mends it.
import { accessSync, constants, readFileSync, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";

/** What bubblewrap said, in words, with the one line that mends it where there is one. */
export function whyNot(said: string): string {
  const setting = (name: string) =>
    real(`/proc/sys/${name}`) && readFileSync(`/proc/sys/${name}`, "utf8").trim();
  const profile = "bwrap-userns-restrict";
  if (/EACCES|permission denied, access/i.test(said) && /node|Error/.test(said))
    return `the sandbox's user may not read the workbook's files: ${said} (sudo chmod -R o+rX on its folder mends it)`;
  if (setting("kernel/apparmor_restrict_unprivileged_userns") === "1")
    return (
      `this system forbids user namespaces to programs without a profile (sudo apt install apparmor-profiles && sudo cp ` +
      `/usr/share/apparmor/extra-profiles/${profile} /etc/apparmor.d/ && sudo apparmor_parser -r /etc/apparmor.d/${profile})`
    );
  if (setting("kernel/unprivileged_userns_clone") === "0")
    return "this system forbids user namespaces (sudo sysctl -w kernel.unprivileged_userns_clone=1)";
  if (setting("user/max_user_namespaces") === "0")
    return "this system allows no user namespace (sudo sysctl -w user.max_user_namespaces=15000)";
  return `bubblewrap does not work here: ${said}`;
}

export function installCommand(name: string): string {
  const managers = [
    ["apt", "apt install"],
    ["dnf", "dnf install"],
    ["pacman", "pacman -S"],
    ["zypper", "zypper install"],
    ["apk", "apk add"],
  ];
  const [, command] = managers.find(([manager]) => find(manager!, process.env)) ?? managers[0]!;
  return `sudo ${command} ${name}`;
}

/** The absolute path of a program in PATH; null when there is none that we may execute. */
export function find(name: string, env: NodeJS.ProcessEnv): string | null {
  for (const folder of (env.PATH ?? "/usr/bin:/bin").split(delimiter)) {
    const path = join(folder || ".", name);
    try {
      accessSync(path, constants.X_OK);
      return realpathSync(path);
    } catch {
      // not in this folder
    }
  }
  return null;
}

/** Its real path; null when there is none. */
export function real(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}
