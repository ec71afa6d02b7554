// Options. The command line and the environment of `npm start`.
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

export interface Options {
  /** Asked for by --port or $PORT; undefined when any will do. 0 is any free one. */
  port: number | undefined;
  open: boolean;
  /** Absolute. */
  chapters: string;
  /** Further addresses of the page, as a browser sees them through a forwarded port: "http://localhost:8000". */
  origins: string[];
  help: boolean;
}

export const usage = `npm start -- [--port N] [--no-open] [--chapters DIR] [--origin URL]

  --port N         listen on this port of 127.0.0.1 and ::1 (or set PORT; else 7800, or that of the last time)
  --no-open        only print the link, open no browser
  --chapters DIR   another book than the one that comes along
  --origin URL     the page's address behind a forwarded port, such as http://localhost:8000 (may be repeated)

  WORKBOOK_HOME    the folder with your work (~/socket-workbook)
  WORKBOOK_STATE   the folder with token and port (~/.local/state/socket-workbook)
  WORKBOOK_SANDBOX off, namespace, bubblewrap: how programs run (else the best that works)
  WORKBOOK_SPARE   off: keep no process ready for the next Run; it saves some 10 MB`;

/** @throws Error with a sentence for an option that is not known or makes no sense */
export function readOptions(args: string[], env: NodeJS.ProcessEnv, packageRoot: string): Options {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: "string" },
      "no-open": { type: "boolean" },
      chapters: { type: "string" },
      origin: { type: "string", multiple: true },
      help: { type: "boolean", short: "h" },
    },
  });
  const [where, said] = values.port === undefined ? ["PORT", env.PORT || undefined] : ["--port", values.port];
  if (said !== undefined && !(/^\d{1,5}$/.test(said) && Number(said) < 65536))
    throw new Error(`${where} is "${said}"; a port is a number from 1 to 65535 (0: any that is free).`);
  return {
    port: said === undefined ? undefined : Number(said),
    open: values["no-open"] !== true,
    origins: (values.origin ?? []).map(readOrigin),
    chapters: resolve(values.chapters ?? join(packageRoot, "chapters")),
    help: values.help === true,
  };
}

/** @throws Error with a sentence for what is no address of a page */
function readOrigin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url && /^https?:$/.test(url.protocol) && text.replace(/\/$/, "") === url.origin) return url.origin;
  throw new Error(
    `--origin is "${text}"; it takes an address such as http://localhost:8000, without a path.`,
  );
}
