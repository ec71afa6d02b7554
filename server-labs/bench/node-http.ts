// Node's http rival. A static server on Node's own http, as one would write it in half an hour. It asks the file system
// at every request, as our server does.
//   read    stat, then readFile up to 64 KB, createReadStream above
//   cached  stat, then the bytes in memory if it is still the same version: what our server does
import { createReadStream, readFile, type Stats, stat } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { join, normalize } from "node:path";

const [port, way] = [Number(process.argv[2]), process.argv[3]];
const root = join(process.cwd(), "html");
const small = 64 * 1024;
const cache = new Map<string, { stat: Stats; bytes: Buffer }>();

createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const path = join(root, normalize(decodeURIComponent(new URL(request.url!, "http://localhost").pathname)));
  stat(path, (error, found) => {
    if (error || !found.isFile()) return fail(response);
    const known = way === "cached" ? cache.get(path) : undefined;
    if (
      known &&
      known.stat.ctimeMs === found.ctimeMs &&
      known.stat.size === found.size &&
      known.stat.ino === found.ino
    )
      return whole(response, known.bytes);
    if (found.size > small) {
      response.writeHead(200, { "Content-Type": "text/html; charset=utf-8", "Content-Length": found.size });
      createReadStream(path)
        .on("error", () => response.destroy())
        .pipe(response);
      return;
    }
    readFile(path, (failed, bytes) => {
      if (failed) return fail(response);
      if (way === "cached" && Date.now() - found.ctimeMs > 1000) cache.set(path, { stat: found, bytes });
      whole(response, bytes);
    });
  });
}).listen(port, "127.0.0.1");

function whole(response: ServerResponse, bytes: Buffer): void {
  response.writeHead(200, { "Content-Type": "text/html; charset=utf-8", "Content-Length": bytes.length });
  response.end(bytes);
}

function fail(response: ServerResponse): void {
  response.writeHead(404).end();
}
