// The page: app/ is its root, chapters/ come in through one plugin, and every text file that is built has
// its brotli twin beside it, so that the lab server only picks files. In development Vite serves the page
// and hands what is the lab server's to the lab server (WORKBOOK_LAB_SERVER=http://127.0.0.1:PORT).
import type { ClientRequest, IncomingMessage } from "node:http";
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type ProxyOptions } from "vite";
import { brotli } from "./app/lessons/brotli.ts";
import { lessons } from "./app/lessons/plugin.ts";
import { editorLanguage } from "./app/workbench/editor/build/language.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const labServer = process.env.WORKBOOK_LAB_SERVER;

export default defineConfig({
  root: here("app"),
  plugins: [react(), lessons(here("chapters")), editorLanguage(here(".")), brotli()],
  build: {
    outDir: here("dist/app"),
    emptyOutDir: true,
    // Those that know light-dark(): older targets would have each colour rewritten into a pair of variables.
    target: ["chrome125", "firefox128", "safari17.5"],
    // Monaco is one lazy chunk of its own, and meant to be.
    chunkSizeWarningLimit: 8000,
    rolldownOptions: { checks: { pluginTimings: false, bundlerTimings: false } },
  },
  worker: { format: "es", plugins: () => [editorLanguage(here("."))] },
  server: {
    host: "127.0.0.1",
    fs: { allow: [here(".")] },
    ...(labServer ? { proxy: proxyTo(labServer) } : {}),
  },
});

/**
 * The lab server's gate lets in exactly its own Host and Origin. The page is served by Vite in development,
 * so Vite's own origin is written as the lab server's; a foreign one stays as it is, and is refused.
 */
function proxyTo(target: string): Record<string, ProxyOptions> {
  const rewrite = (out: ClientRequest, { headers }: IncomingMessage) => {
    if (headers.origin === `http://${headers.host}`) out.setHeader("origin", target);
  };
  const options: ProxyOptions = {
    target,
    changeOrigin: true,
    configure(proxy) {
      proxy.on("proxyReq", rewrite);
      proxy.on("proxyReqWs", rewrite);
    },
  };
  return { "/api": options, "/healthz": options, "/ws": { ...options, ws: true } };
}
