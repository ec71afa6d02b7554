// Contestants. The servers that are measured: the book's solution, and the rivals that are installed.
import { randomBytes } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ModuleFolder } from "../check.ts";
import { findOnPath, serverFolders } from "../lib/find-program.ts";
import { programFlags } from "../lib/node-flags.ts";
import { packageRoot } from "../lib/package-root.ts";
import type { Command } from "./contestant.ts";

export interface Rival {
  name: string;
  command: (port: number) => Command;
}

/** The document root that all servers serve, and the files that they need beside it. */
export class Site {
  /** Where servers are started: ./html is the document root, as the labs have it. */
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "socket-workbook-bench-")));
  readonly html = join(this.folder, "html");
  /** Targets of requests, and the files behind them. */
  readonly small = { target: "/index.html", file: join(this.html, "index.html") };
  readonly large = { target: "/large.bin", file: join(this.html, "large.bin") };
  readonly #workshop = new ModuleFolder();

  constructor() {
    mkdirSync(this.html);
    copyFileSync(join(packageRoot, "html/index.html"), this.small.file);
    writeFileSync(this.large.file, randomBytes(1024 * 1024));
  }

  /** The book's static server over epoll, as Run starts it; with its calls traced, or not. */
  solution(traced = false): Promise<Rival> {
    const name = join(packageRoot, "chapters/02-epoll/09-static-server/lab/solution.ts");
    return this.#program("our solution", name, traced);
  }

  /** A server on workbook/tasks, see task-server.ts. */
  tasks(traced = false): Promise<Rival> {
    return this.#program("a server on tasks", join(packageRoot, "server-labs/bench/task-server.ts"), traced);
  }

  /** A student's program, as Run starts it. */
  async #program(what: string, name: string, traced: boolean): Promise<Rival> {
    const program = await this.#workshop.program(name);
    const entry = join(packageRoot, "dist/server-labs/runtime/program.js");
    const argv = [process.execPath, ...programFlags, entry];
    return {
      name: traced ? `${what}, traced` : what,
      command: () => ({ argv, cwd: this.folder, program, traced }),
    };
  }

  /** Node's http, see node-http.ts. */
  nodeHttp(way: "read" | "cached"): Rival {
    const program = join(import.meta.dirname, "node-http.js");
    const name =
      way === "read" ? "Node http, stat + readFile or createReadStream" : "Node http, stat + bytes in memory";
    return {
      name,
      command: port => ({ argv: [process.execPath, program, String(port), way], cwd: this.folder }),
    };
  }

  /** One worker, sendfile, and no open_file_cache: a changed file is served changed at once. */
  nginx(program: string): Rival {
    return {
      name: "nginx, one worker, sendfile",
      command: port => {
        const conf = join(this.folder, `nginx-${port}.conf`);
        writeFileSync(conf, nginxConf(this.folder, this.html, port));
        return { argv: [program, "-p", this.folder, "-c", conf, "-e", "stderr"], cwd: this.folder };
      },
    };
  }

  /** Any Python server that takes its port as its argument and serves ./html. */
  python(program: string, file: string): Rival {
    return {
      name: `Python: ${file.slice(file.lastIndexOf("/") + 1)}`,
      command: port => ({ argv: [program, "-u", file, String(port)], cwd: this.folder }),
    };
  }

  /**
   * All servers that can be measured on this machine, and a sentence for each that cannot.
   * @param python a file that holds a Python server
   * @param beside folders to search besides the PATH
   */
  async rivals(
    python: string | undefined,
    beside: readonly string[] = serverFolders,
  ): Promise<{ rivals: Rival[]; missing: string[] }> {
    const rivals = [await this.solution(), this.nodeHttp("read"), this.nodeHttp("cached")];
    const missing: string[] = [];
    const nginx = findOnPath("nginx", beside);
    if (nginx) rivals.push(this.nginx(nginx));
    else missing.push(missingProgram("nginx", "nginx-light"));
    const python3 = findOnPath("python3", beside);
    if (python === undefined)
      missing.push(
        "The course's Python server (2.3) was not measured: name a file that holds it with --python FILE.",
      );
    else if (!existsSync(python)) missing.push(`There is no ${python}: nothing in Python was measured.`);
    else if (!python3) missing.push(missingProgram("python3", "python3"));
    else rivals.push(this.python(python3, resolve(python)));
    return { rivals, missing };
  }

  remove(): void {
    this.#workshop.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function missingProgram(program: string, debian: string): string {
  return `${program} is not installed and was not measured (Debian, Ubuntu: sudo apt install ${debian}).`;
}

function nginxConf(folder: string, html: string, port: number): string {
  const user = process.getuid!() === 0 ? "user root;" : "";
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    kind => `${kind}_temp_path ${folder}/${kind};`,
  );
  return `daemon off; worker_processes 1; ${user} pid ${folder}/nginx-${port}.pid; error_log stderr crit;
worker_rlimit_nofile 16384;
events { worker_connections 16000; }
http {
  ${temp.join(" ")}
  types { text/html html; }
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on;
  keepalive_timeout 600s; keepalive_requests 1000000000;
  server { listen 127.0.0.1:${port}; root ${html}; }
}
`;
}
