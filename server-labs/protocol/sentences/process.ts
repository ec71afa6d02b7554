// Process sentences. English: the sandbox and its limits, as the room process/ reports them.
import { type StatementOf, writeStatement } from "./statement.ts";

/** Why programs run without a sandbox; `fix` is a command for a shell. */
const reasons = {
  "namespace-asked": () => "WORKBOOK_SANDBOX=namespace asks for that",
  "sandbox-off": () => "WORKBOOK_SANDBOX=off asks for that",
  "not-installed": ({ program, fix }: { program: string; fix: string }) =>
    program === "bubblewrap"
      ? `bubblewrap is not installed (${fix})`
      : `${program}, a part of util-linux, is not installed (${fix})`,
  "bubblewrap-too-old": () => "this bubblewrap is older than 0.3 (update it)",
  "workbook-unreadable": ({ text, fix }: { text: string; fix: string }) =>
    `the sandbox's user may not read the workbook's files: ${text} (${fix} on its folder mends it)`,
  "namespaces-need-profile": ({ fix }: { fix: string }) =>
    `this system forbids user namespaces to programs without a profile (${fix})`,
  "namespaces-forbidden": ({ fix }: { fix: string }) => `this system forbids user namespaces (${fix})`,
  "no-namespaces": ({ fix }: { fix: string }) => `this system allows no user namespace (${fix})`,
  /** @param text what bubblewrap or the system says */
  "bubblewrap-fails": ({ text }: { text: string }) => `bubblewrap does not work here: ${text}`,
};
export type NoSandboxReason = StatementOf<typeof reasons>;

/**
 * The numbers are those of limits.ts. A look at processes sees no memory that they have not mapped; a cgroup sees it. Neither
 * sees a removed file on the disk.
 */
const bounded = (cgroup: boolean) =>
  cgroup
    ? "The kernel (cgroup v2) ends a run whose processes together have more than 1024 MB of memory, whether they map it " +
      "or not. The lab server ends a run that wants more than 1024 threads, or adds more than 256 MB to its lab's " +
      "folder. Removed files on the disk that are still open are not bounded."
    : "The lab server ends a run whose processes together have more than 1024 MB of memory, or add more than 256 MB to " +
      "their lab's folder. Memory that no process maps (memfd, System V) and removed files that are still open are not " +
      "bounded.";

/**
 * @param root the lab server runs as root
 * @param cgroup the kernel bounds each run
 */
const levels = {
  sandboxed: ({ root, cgroup = false }: { root: boolean; cgroup?: boolean }) =>
    root
      ? "Programs run in a bubblewrap sandbox and, because you are root, as a user without rights: they can read the " +
        "system, the workbook and their own lab's folder, can change nothing, and cannot see other processes. They " +
        `share this machine's network. ${bounded(cgroup)}`
      : "Programs run in a bubblewrap sandbox: of your files they see only the workbook and their own lab's folder, and " +
        `change only the latter; they cannot see other processes. They share this machine's network. ${bounded(cgroup)}`,
  /** @param contained they have a pid namespace */
  unprotected: ({
    root,
    reason,
    contained = false,
    cgroup = false,
  }: {
    root: boolean;
    reason: NoSandboxReason;
    contained?: boolean;
    cgroup?: boolean;
  }) => {
    const whose = root
      ? "everything on this machine, because you are root"
      : "all your files, the kept copies of your texts among them";
    const after = contained
      ? "When one ends, everything that it has started ends too."
      : "When one ends, its children end too, but a background process that left its group and its environment behind may go on.";
    return (
      `Programs run unprotected, because ${writeStatement(reasons, reason)}: they can read and change ${whose}. ` +
      `${after} ${bounded(cgroup)}`
    );
  },
};
export type SandboxStatement = StatementOf<typeof levels>;

export const en = {
  ...reasons,
  ...levels,
  "sandbox-setting-unknown": ({ setting }: { setting: string }) =>
    `WORKBOOK_SANDBOX is "${setting}"; it can be "off", "namespace", "bubblewrap", or not be set.`,
  "namespace-not-possible": () =>
    "WORKBOOK_SANDBOX=namespace cannot be done: unshare, setpriv or prlimit is not installed, or this system allows no user namespace.",
  "sandbox-not-possible": ({ reason }: { reason: NoSandboxReason }) =>
    `WORKBOOK_SANDBOX=bubblewrap cannot be done: ${writeStatement(reasons, reason)}.`,
  "node-not-started": ({ text }: { text: string }) => `Node cannot be started to run labs: ${text}`,
};
