// What the lab server is told when it is started: by arguments, by the environment, by where it lies.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

export interface Options {
  /** Asked for by --port or $PORT; undefined when any will do. 0 is any free one. */
  port: number | undefined;
  open: boolean;
  /** Absolute. */
  chapters: string;
  help: boolean;
}

export const usage = `npm start -- [--port N] [--no-open] [--chapters DIR]

  --port N         listen on this port of 127.0.0.1 and ::1 (or set PORT; else 7800, or that of the last time)
  --no-open        only print the link, open no browser
  --chapters DIR   another book than the one that comes along

  WORKBOOK_HOME    the folder with your work (~/socket-workbook)
  WORKBOOK_STATE   the folder with token and port (~/.local/state/socket-workbook)
  WORKBOOK_SANDBOX off, bubblewrap: how programs run (else the best that works)
  WORKBOOK_SPARE   off: keep no process ready for the next Run; it saves some 10 MB`;

/** @throws Error with a sentence for an option that is not known or makes no sense */
export function readOptions(args: string[], env: NodeJS.ProcessEnv, packageRoot: string): Options {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: "string" },
      "no-open": { type: "boolean" },
      chapters: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  const [where, said] = values.port === undefined ? ["PORT", env.PORT || undefined] : ["--port", values.port];
  if (said !== undefined && !(/^\d{1,5}$/.test(said) && Number(said) < 65536))
    throw new Error(`${where} is "${said}"; a port is a number from 1 to 65535 (0: any that is free).`);
  return {
    port: said === undefined ? undefined : Number(said),
    open: values["no-open"] !== true,
    chapters: resolve(values.chapters ?? join(packageRoot, "chapters")),
    help: values.help === true,
  };
}

/** The workbook's own folder and version: the nearest package.json above this file, from dist/ as from the sources. */
export function ownPackage(): { root: string; version: string } {
  let root = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(root, "package.json")) && root !== dirname(root)) root = dirname(root);
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  return { root, version };
}
