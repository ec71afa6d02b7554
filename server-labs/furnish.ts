// What makes the workspace a place where any editor and any shell can work, without the lab server and without
// a network: package.json, tsconfig.json, and links to the packages of this clone. Links are renewed when the
// clone has moved; what the student put there instead is left alone.
import { randomBytes } from "node:crypto";
import { lstat, mkdir, readlink, rename, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createFile } from "./save.ts";

const packageJson = {
  name: "my-socket-workbook",
  private: true,
  description: "My own copies of the labs. Run one: npx tsx server.ts 7890",
  type: "module",
};

/** The compiler's rules are those of the page: what it accepts here, Run accepts too. */
const tsconfigJson = {
  compilerOptions: {
    target: "ES2022",
    lib: ["ES2023"],
    types: ["node"],
    module: "NodeNext",
    moduleResolution: "NodeNext",
    strict: true,
    noEmit: true,
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
  },
  include: ["*/*/*.ts"],
};

/**
 * Furnishes the root of a workspace.
 * @param root the workspace, which exists
 * @param packageRoot the clone whose package "workbook" the labs import
 */
export async function furnish(root: string, packageRoot: string): Promise<void> {
  await onlyNew(join(root, "package.json"), `${JSON.stringify(packageJson, null, 2)}\n`);
  await onlyNew(join(root, "tsconfig.json"), `${JSON.stringify(tsconfigJson, null, 2)}\n`);
  const modules = join(root, "node_modules");
  await mkdir(join(modules, ".bin"), { recursive: true });
  await mkdir(join(modules, "@types"), { recursive: true });
  await linkTo(join(modules, "workbook"), packageRoot);
  const require = createRequire(join(packageRoot, "package.json"));
  for (const [name, program] of [
    ["tsx", "dist/cli.mjs"],
    ["typescript", "bin/tsc"],
    ["@types/node", null],
  ] as const) {
    const folder = folderOf(name, require);
    if (!folder) continue; // installed without development packages: the labs run all the same
    await linkTo(join(modules, name), folder);
    if (program)
      await linkTo(join(modules, ".bin", program === "bin/tsc" ? "tsc" : name), join(folder, program));
  }
}

/** Links a lab's `html` to the document root that its server serves. */
export async function linkDocumentRoot(labFolder: string, packageRoot: string): Promise<void> {
  const html = join(packageRoot, "html");
  if (await stat(html).catch(() => null)) await linkTo(join(labFolder, "html"), html);
}

/** Makes `path` a link to `target`, whatever it was linked to before; anything that is no link stays. */
async function linkTo(path: string, target: string): Promise<void> {
  const there = await lstat(path).catch(() => null);
  if (there && !there.isSymbolicLink()) return;
  if (there && (await readlink(path)) === target) return;
  // A program that starts at this very moment must find the old link or the new one.
  const beside = `${path}.${randomBytes(4).toString("hex")}.tmp`;
  await symlink(target, beside);
  await rename(beside, path);
}

async function onlyNew(path: string, content: string): Promise<void> {
  if (await lstat(path).catch(() => null)) return;
  await createFile(path, content);
}

function folderOf(name: string, require: NodeJS.Require): string | null {
  try {
    return dirname(require.resolve(`${name}/package.json`));
  } catch {
    return null;
  }
}
