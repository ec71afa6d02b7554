// For those who write chapters or the workbook itself: the lab server behind Vite, which reloads the page as
// files change. Never shipped to students: they get the built page from the lab server itself.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { createServer } from "vite";

const labServer = spawn(
  process.execPath,
  ["dist/server-labs/main.js", "--no-open", ...process.argv.slice(2)],
  {
    stdio: ["ignore", "pipe", "inherit"],
  },
);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => labServer.kill(signal));
labServer.on("exit", code => process.exit(code ?? 1));

for await (const line of createInterface({ input: labServer.stdout })) {
  const link = /(http:\/\/[^\s/]+)\/#t=(\S+)/.exec(line);
  if (!link) {
    console.log(line);
    continue;
  }
  process.env.WORKBOOK_LAB_SERVER = link[1];
  const vite = await createServer({ configFile: "vite.config.ts" });
  await vite.listen();
  const page = vite.resolvedUrls?.local[0] ?? "";
  console.log(`Writing mode: ${page}#t=${link[2]}   (lab server: ${link[1]})`);
}
