// Brotli. Compresses each built text file once, at build time: the lab server then compresses nothing.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import type { Plugin } from "vite";

const compress = promisify(brotliCompress);
const text = /\.(html|js|mjs|css|svg|json|txt|map)$/;

export function brotli(): Plugin {
  return {
    name: "workbook-brotli",
    apply: "build",
    async writeBundle(options, bundle) {
      const names = Object.keys(bundle).filter(name => text.test(name));
      await Promise.all(names.map(name => twin(join(options.dir ?? "", name))));
    },
  };
}

async function twin(file: string): Promise<void> {
  const bytes = await readFile(file);
  if (bytes.length < 1024) return;
  // Quality 11 makes Monaco 9 % smaller and the build half a minute longer; the newcomer waits for the build.
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  await writeFile(`${file}.br`, await compress(bytes, { params }));
}
