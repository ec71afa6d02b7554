// Arguments of bubblewrap. One process gets its own root with the system read-only, a few folders, its own pids, and
// the host's network, because curl must reach it: bwrap(1), setpriv(1), prlimit(1). As root bubblewrap alone protects
// nothing, so the program becomes an unprivileged user inside.
import { existsSync, lstatSync, readlinkSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { realHome } from "../lib/home.ts";
import type { Reach } from "./sandbox-level.ts";

/** What this machine's bubblewrap and kernel can do, found out once. */
export interface BubblewrapFacts {
  bwrap: string;
  /** From `bwrap --help`: options come with versions 0.5 (--perms), 0.7 (--size) and 0.8 (--disable-userns). */
  help: string;
  /** Absolute path of setpriv where the lab server is root, else null. */
  setpriv: string | null;
}

/** /tmp and /dev/shm are memory: each of them has room for so much. */
const tmpBytes = 64 * 1024 * 1024;
const systemFolders = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];
/** What name look-up, TLS, the dynamic linker and libc read; all of it is world-readable and holds no secret. */
const systemFiles = [
  ...[
    "alternatives",
    "ca-certificates",
    "group",
    "host.conf",
    "hosts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
  ],
  ...[
    "localtime",
    "nsswitch.conf",
    "os-release",
    "passwd",
    "pki",
    "protocols",
    "resolv.conf",
    "services",
    "ssl",
  ],
].map(name => `/etc/${name}`);
/** Users that no distribution gives away (systemd's UIDS-GIDS): one for each run, so that runs cannot meet either. */
const firstUid = 60_800;
const uids = 300;
let nextUid = 0;

/**
 * bubblewrap's arguments up to and without the command.
 * @param statusFd where it reports the child's pid and exit code; the program never sees this descriptor
 */
export function bubblewrapArguments(facts: BubblewrapFacts, reach: Reach, statusFd: number): string[] {
  const has = (option: string) => facts.help.includes(option);
  const tmpfs = (folder: string) => [
    ...["--perms", "1777", ...(has("--size") ? ["--size", String(tmpBytes)] : []), "--tmpfs", folder],
  ];
  const user = facts.setpriv
    ? ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    : ["--unshare-user", ...(has("--disable-userns") ? ["--disable-userns"] : [])];
  const folders = [...reach.readable, ...nodeItself()].map(path => ["--ro-bind", path] as const);
  const binds = [...folders, ...reach.writable.map(path => ["--bind", path] as const)];
  return [
    ...user,
    ...["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"],
    ...["--die-with-parent", "--new-session", "--json-status-fd", String(statusFd)],
    ...["--ro-bind", "/usr", "/usr", ...systemFolders.flatMap(systemFolder)],
    ...["--ro-bind-try", "/nix/store", "/nix/store"],
    ...["--perms", "0755", "--dir", "/etc", ...systemFiles.flatMap(file => ["--ro-bind-try", file, file])],
    // /dev is a tmpfs without a size, too: nothing but /dev/shm may be written in it.
    ...["--proc", "/proc", "--dev", "/dev", ...tmpfs("/dev/shm"), "--remount-ro", "/dev"],
    ...tmpfs("/tmp"),
    // Parents first, each with rights of its own: what bubblewrap makes by itself is 0700, and a home folder is
    // often private outside. Shorter paths come first, so that no folder is laid over what is inside it.
    ...parents(binds.map(([, path]) => path)).flatMap(folder => ["--perms", "0755", "--dir", folder]),
    ...binds.sort(([, a], [, b]) => a.length - b.length).flatMap(([option, path]) => [option, path, path]),
    ...["--chdir", reach.cwd, "--remount-ro", "/", "--"],
    ...(facts.setpriv ? dropRoot(facts.setpriv) : []),
  ];
}

function dropRoot(setpriv: string): string[] {
  const uid = String(firstUid + (nextUid++ % uids));
  const nothing = ["--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"];
  return [setpriv, "--reuid", uid, "--regid", uid, ...nothing, "--"];
}

/** On most systems /bin and its like are links into /usr, on some they are folders. */
function systemFolder(path: string): string[] {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return [];
  return stat.isSymbolicLink() ? ["--symlink", readlinkSync(path), path] : ["--ro-bind", path, path];
}

/** The node that runs us, wherever it was installed, and the libraries beside it; never a whole home folder. */
function nodeItself(): string[] {
  const node = realpathSync(process.execPath);
  const prefix = dirname(dirname(node));
  const lib = join(prefix, "lib");
  const ofNode = existsSync(lib) && prefix !== realHome() && prefix !== "/";
  return ofNode ? [node, lib] : [node];
}

/** Every folder above these paths, outermost first, but for those that are there already. */
function parents(paths: string[]): string[] {
  const found = new Set<string>();
  for (const path of paths) {
    for (let folder = dirname(path); folder !== "/"; folder = dirname(folder)) found.add(folder);
  }
  const there = (folder: string) => folder === "/tmp" || folder === "/usr" || folder.startsWith("/usr/");
  return [...found].filter(folder => !there(folder)).sort((a, b) => a.length - b.length);
}
