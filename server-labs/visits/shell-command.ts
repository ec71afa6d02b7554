// Shell command. The same visit from a shell: a line that works as it is written, in any shell, and ends by itself.
// curl where curl can do it, bash's own /dev/tcp where curl cannot, and node for a half-close and an RST.
import {
  type CommandLimit,
  curlCommand,
  formatEndpoint,
  limitedCommand,
  limitSeconds,
  type VisitorCommand,
} from "../protocol.ts";

type Order = Extract<VisitorCommand, { type: "visit" }>;

/** @param path what it asks for, where it asks for one */
export function visitCommand(order: Order, path: string): string {
  const { host, port, sends, pieces, count, everyMs } = order;
  const url = quoted(`http://${formatEndpoint(host, port)}${path}`);
  // -g and --path-as-is: brackets, braces and dots of a path are themselves.
  const plain = /^[\w/.-]*$/.test(path) && !path.includes("..");
  const curl = (words: string, limit?: CommandLimit) =>
    curlCommand(`${plain ? "" : "-g --path-as-is "}${words} ${url}`, limit);
  const talk = (words: string, limit: CommandLimit = "stay") =>
    limitedCommand(`bash -c 'exec 3<>/dev/tcp/${host}/${port}; ${words}cat <&3'`, limit);
  const inNode = (script: string) => limitedCommand(`node -e '${script}'`);
  const connect = `require("net").connect(${port}, "${host}"`;
  switch (order.kind) {
    case "get":
      return curl("-i");
    case "silent":
      return talk("");
    case "split": {
      const ends = [...pieces, sends.length];
      const parts = ends.map((end, i) => `${print(sends.slice(i === 0 ? 0 : ends[i - 1]!, end))} >&3; `);
      return talk(parts.join("sleep 0.5; "));
    }
    case "drip":
      return talk(
        `${print(sends)} | while IFS= read -r -d "" -n 1 c; do printf %s "$c" >&3; sleep ${everyMs / 1000}; done; `,
      );
    case "pipeline":
      // printf uses its format anew for each argument, of which %.0s shows nothing.
      return talk(`${print(sends, "%.0s")} $(seq ${count}) >&3; `, "answer");
    case "slow-reader": {
      const rate = Math.max(1, Math.round((1024 * 1000) / everyMs));
      return curl(`-s --limit-rate ${rate} -o /dev/null`, "stay");
    }
    case "half-close":
      // end() sends what is there and then a FIN; the answer is read until the server's own.
      return inNode(`${connect}).end(${javascript(sends)}, "latin1").pipe(process.stdout)`);
    case "reset":
      // Only when the kernel has taken the bytes: an RST overtakes what is not sent yet.
      return inNode(
        `const s = ${connect}, () => s.write(${javascript(sends)}, "latin1", () => s.resetAndDestroy()))`,
      );
    case "burst":
      return `seq ${count} | xargs -P ${count} -I{} ${curl(
        "-s -o /dev/null -w 'client {}: %{http_code} after %{time_total} s\\n'",
      )}`;
    case "idle": {
      const room = count > 1000 ? "ulimit -n $(ulimit -Hn); " : "";
      return `bash -c '${room}for i in $(seq ${count}); do exec {fd}<>/dev/tcp/${host}/${port}; done; sleep ${limitSeconds("stay")}'`;
    }
    case "raw":
      return talk(sends === "" ? "" : `${print(sends)} >&3; `);
  }
}

/** env, because bash's own printf writes line by line, which a server may see as so many pieces. Within bash -c '…'. */
function print(bytes: string, behind = ""): string {
  return `env printf "${bytes.replace(/^-|[^ -~]|['"\\%$`]/g, printfEscape)}${behind}"`;
}

function printfEscape(byte: string): string {
  if (byte === "\r") return "\\r";
  if (byte === "\n") return "\\n";
  if (byte === "%") return "%%";
  return `\\${byte.charCodeAt(0).toString(8).padStart(3, "0")}`;
}

/** A string of JavaScript, within node -e '…'. */
function javascript(bytes: string): string {
  const named: Record<string, string> = { "\r": "\\r", "\n": "\\n" };
  const escaped = bytes.replace(
    /[^ -~]|['"\\]/g,
    byte => named[byte] ?? `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return `"${escaped}"`;
}

function quoted(text: string): string {
  return /^[\w/.:-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
