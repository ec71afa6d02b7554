// A static server on Node's http, as one writes it in an hour: Node reads the requests, this file finds the files.
// Run it like this: node node-http.mjs 7890
import { constants } from "node:fs";
import { open, realpath } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, resolve, sep } from "node:path";
import { pipeline } from "node:stream/promises";

const root = await realpath("html");
const types = {
  ".html": "text/html; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".png": "image/png",
};

createServer(async (request, response) => {
  try {
    if (request.method === "GET" || request.method === "HEAD") await sendFile(request, response);
    else refuse(response, 405, { Allow: "GET, HEAD" });
  } catch {
    if (response.headersSent) response.destroy();
    else refuse(response, 404);
  }
}).listen(Number(process.argv[2]), "127.0.0.1");

async function sendFile(request, response) {
  const { pathname } = new URL(request.url, "http://localhost");
  const path = resolve(root, `.${decodeURIComponent(pathname)}`);
  const name = pathname.endsWith("/") ? resolve(path, "index.html") : path;
  if (!(await realpath(name)).startsWith(root + sep)) return refuse(response, 404);
  const file = await open(name, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return refuse(response, 404);
    response.writeHead(200, {
      "Content-Type": types[extname(name)] ?? "application/octet-stream",
      "Content-Length": stat.size,
    });
    if (request.method === "HEAD") response.end();
    else await pipeline(file.createReadStream({ autoClose: false }), response);
  } finally {
    await file.close();
  }
}

function refuse(response, status, fields = {}) {
  response.writeHead(status, { ...fields, "Content-Type": "text/plain; charset=utf-8" });
  response.end(`${status}\n`);
}
