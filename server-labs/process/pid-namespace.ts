// Pid namespace. At level "plain" it protects nothing, and it lets nothing outlive a run: when its first process ends, the
// kernel ends all the others in it, also a daemon that left its group, its session and its environment.
// unshare(1), setpriv(1), pid_namespaces(7). The namespace ends with the lab server too (--pdeathsig, --kill-child).

/** Runs the command as pid 2, reports on the descriptor as bubblewrap does, and ends with the command's exit code. */
const init = (statusFd: number) =>
  `echo made >&${statusFd}; "$@" ${statusFd}>&-; code=$?; echo "{\\"exit-code\\": $code}" >&${statusFd}; exit $code`;

/** Absolute paths of the programs, and whether the lab server is root, who needs no user namespace for it. */
export interface PidNamespaceFacts {
  setpriv: string;
  unshare: string;
  root: boolean;
}

/** The command line in which this command runs in a pid namespace of its own. @param statusFd a descriptor below 10 */
export function inPidNamespace(
  { setpriv, unshare, root }: PidNamespaceFacts,
  statusFd: number,
  command: string[],
): string[] {
  const user = root ? [] : ["--user", "--map-current-user"];
  return [
    ...[setpriv, "--pdeathsig", "KILL", "--", unshare, ...user],
    ...[
      "--pid",
      "--fork",
      "--kill-child",
      "--mount-proc",
      "--",
      "/bin/sh",
      "-c",
      init(statusFd),
      "sh",
      ...command,
    ],
  ];
}
