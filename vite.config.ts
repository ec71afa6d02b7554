// The page: app/ is its root, chapters/ come in through one plugin, and every text file that is built has
// its brotli twin beside it, so that the lab server only picks files. In development Vite serves the page
// and hands what is the lab server's to the lab server (WORKBOOK_LAB_SERVER=http://127.0.0.1:PORT).
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type ProxyOptions } from "vite";
import { editorLanguage } from "./app/build/editor/language.ts";
import { brotli } from "./app/build/lessons/brotli.ts";
import { lessons } from "./app/build/lessons/plugin.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const labServer = process.env.WORKBOOK_LAB_SERVER;
// A student's start tells an author's mistake, and goes on; a build and the tests fail.
const tolerant = process.env.WORKBOOK_MISTAKES === "tell";

export default defineConfig({
  root: here("app"),
  plugins: [
    react(),
    lessons(here("chapters"), { keptIn: here("dist/lessons"), tolerant }),
    editorLanguage(here(".")),
    brotli(),
  ],
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
    // No other page needs what Vite serves. dev.ts puts the lab server's gate before it, too.
    cors: false,
    fs: { allow: [here(".")] },
    ...(labServer ? { proxy: proxyTo(labServer) } : {}),
  },
});

/**
 * Passes on what is the lab server's, with the caller's own Host and Origin: the lab server's gate judges them, because
 * dev.ts has started it with Vite's address.
 */
function proxyTo(target: string): Record<string, ProxyOptions> {
  const options: ProxyOptions = { target, changeOrigin: false };
  return { "/api": options, "/healthz": options, "/ws": { ...options, ws: true } };
}
