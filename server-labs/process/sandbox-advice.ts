// Advice about the sandbox. Why this machine cannot have it, and the one line for a shell that mends it.
import { accessSync, constants, readFileSync, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { NoSandboxReason } from "../protocol.ts";

const profile = "bwrap-userns-restrict";
const installProfile =
  "sudo apt install apparmor-profiles && sudo cp " +
  `/usr/share/apparmor/extra-profiles/${profile} /etc/apparmor.d/ && sudo apparmor_parser -r /etc/apparmor.d/${profile}`;

/** Why bubblewrap does not work, from this system's settings. @param said what bubblewrap printed */
export function reasonOf(said: string): NoSandboxReason {
  const setting = (name: string) =>
    real(`/proc/sys/${name}`) && readFileSync(`/proc/sys/${name}`, "utf8").trim();
  if (/EACCES|permission denied, access/i.test(said) && /node|Error/.test(said))
    return { code: "workbook-unreadable", text: said, fix: "sudo chmod -R o+rX" };
  if (setting("kernel/apparmor_restrict_unprivileged_userns") === "1")
    return { code: "namespaces-need-profile", fix: installProfile };
  if (setting("kernel/unprivileged_userns_clone") === "0")
    return { code: "namespaces-forbidden", fix: "sudo sysctl -w kernel.unprivileged_userns_clone=1" };
  if (setting("user/max_user_namespaces") === "0")
    return { code: "no-namespaces", fix: "sudo sysctl -w user.max_user_namespaces=15000" };
  return { code: "bubblewrap-fails", text: said };
}

/** The command that installs a package with this system's package manager. */
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

/** The real path of a program in PATH; null when this user may execute no such program. */
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

/** The path without symlinks; null when there is no such file. */
export function real(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}
