// Development server. The lab server behind Vite, which reloads the page as files change, for authors of chapters and of
// the workbook. Students get the built page from the lab server itself.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createServer as createNetServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createServer, type Plugin } from "vite";
import { devGate } from "./http.ts";

const chapters = fileURLToPath(new URL("../chapters/", import.meta.url));

/** Vite's usual port. */
const firstChoice = 5173;

/** The first port from Vite's usual one on that is free on 127.0.0.1. */
async function freePort(port = firstChoice): Promise<number> {
  const free = await new Promise<boolean>(resolve => {
    const server = createNetServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
  return free ? port : freePort(port + 1);
}

/**
 * Vite, with the gate before all that it answers.
 * @param onBook called when a file of chapters/ has changed
 */
async function startVite(port: number, labServer: string, onBook: () => void): Promise<string> {
  process.env.WORKBOOK_LAB_SERVER = labServer;
  const nonce = randomBytes(16).toString("base64");
  const gate: Plugin = {
    name: "workbook:gate",
    configureServer: ({ middlewares }) => void middlewares.use(devGate(port, nonce)),
  };
  const vite = await createServer({
    configFile: "vite.config.ts",
    plugins: [gate],
    html: { cspNonce: nonce },
    server: { port, strictPort: true },
  });
  // Git changes hundreds of files at once.
  let due: NodeJS.Timeout | null = null;
  vite.watcher.on("all", (_event, file) => {
    if (!file.startsWith(chapters) || due) return;
    due = setTimeout(() => {
      due = null;
      onBook();
    }, 50);
  });
  await vite.listen();
  return vite.resolvedUrls?.local[0] ?? "";
}

const port = await freePort();
// The lab server's gate judges the page by the address that the browser has, which is Vite's.
const origins = ["127.0.0.1", "localhost"].flatMap(host => ["--origin", `http://${host}:${port}`]);
const labServer = spawn(
  process.execPath,
  [
    "--import",
    "./server-labs/end-with-parent.mjs",
    "dist/server-labs/main.js",
    "--no-open",
    ...origins,
    ...process.argv.slice(2),
  ],
  {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  },
);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => labServer.kill(signal));
labServer.on("exit", code => process.exit(code ?? 1));

for await (const line of createInterface({ input: labServer.stdout! })) {
  const link = /(http:\/\/[^\s/]+)\/#t=(\S+)/.exec(line);
  if (!link) {
    console.log(line);
    continue;
  }
  const page = await startVite(port, link[1]!, () => {
    if (labServer.connected) labServer.send("book changed");
  });
  console.log(`Writing mode: ${page}#t=${link[2]}   (lab server: ${link[1]})`);
}
