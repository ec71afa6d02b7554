// The same visit from a shell: a line that works as it is written. curl where curl can do it, bash's own /dev/tcp where
// it cannot; nc for a half-close and Python for an RST, which bash has no words for.
import type { VisitorCommand } from "./protocol.ts";

type Order = Extract<VisitorCommand, { type: "visit" }>;

/** @param path what it asks for, where it asks for one */
export function visitCommand(order: Order, path: string): string {
  const { host, port, sends, pieces, count, everyMs } = order;
  const url = quoted(`http://${host.includes(":") ? `[${host}]` : host}:${port}${path}`);
  // -g and --path-as-is: brackets, braces and dots of a path are themselves.
  const plain = /^[\w/.-]*$/.test(path) && !path.includes("..");
  const curl = plain ? "curl" : "curl -g --path-as-is";
  const talk = (words: string) => `(exec 3<>/dev/tcp/${host}/${port}; ${words}cat <&3)`;
  switch (order.kind) {
    case "get":
      return `${curl} -i ${url}`;
    case "silent":
      return talk("");
    case "split": {
      const ends = [...pieces, sends.length];
      const parts = ends.map((end, i) => `${print(sends.slice(i === 0 ? 0 : ends[i - 1]!, end))} >&3; `);
      return talk(parts.join("sleep 0.5; "));
    }
    case "drip":
      return talk(
        `${print(sends)} | while IFS= read -r -d '' -n 1 c; do printf %s "$c" >&3; sleep ${everyMs / 1000}; done; `,
      );
    case "pipeline":
      // printf uses its format anew for each argument, of which %.0s shows nothing.
      return talk(`${print(sends, "%.0s")} $(seq ${count}) >&3; `);
    case "slow-reader": {
      const rate = Math.max(1, Math.round((1024 * 1000) / everyMs));
      return `${curl} -s --limit-rate ${rate} -o /dev/null ${url}`;
    }
    case "half-close":
      return `${print(sends)} | nc -N ${host} ${port}`;
    case "reset":
      return `python3 -c 'import socket, struct; s = socket.create_connection(("${host}", ${port})); s.sendall(b"${inPython(sends)}"); s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); s.close()'`;
    case "burst":
      return `seq ${count} | xargs -P ${count} -I{} ${curl} -s -o /dev/null -w 'client {}: %{http_code} after %{time_total} s\\n' ${url}`;
    case "idle": {
      const room = count > 1000 ? "ulimit -n $(ulimit -Hn); " : "";
      return `(${room}for i in $(seq ${count}); do exec {fd}<>/dev/tcp/${host}/${port}; done; sleep infinity)`;
    }
    case "raw":
      return talk(sends === "" ? "" : `${print(sends)} >&3; `);
  }
}

/** env, because bash's own printf writes line by line, which a server may see as so many pieces. */
function print(octets: string, behind = ""): string {
  return `env printf '${octets.replace(/[^ -~]|['\\%]/g, shellEscape)}${behind}'`;
}

function shellEscape(octet: string): string {
  if (octet === "\r") return "\\r";
  if (octet === "\n") return "\\n";
  if (octet === "%") return "%%";
  return `\\${octet.charCodeAt(0).toString(8).padStart(3, "0")}`;
}

/** Within b"…" within '…'. */
function inPython(octets: string): string {
  const named: Record<string, string> = { "\r": "\\r", "\n": "\\n" };
  return octets.replace(
    /[^ -~]|['"\\]/g,
    octet => named[octet] ?? `\\x${octet.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

function quoted(text: string): string {
  return /^[\w/.:-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
