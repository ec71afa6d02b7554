// Scaffold. The files of a workspace and of a lab's folder in it, made when they are missing.
// Any editor and any shell can work there without the lab server and without a network: package.json, tsconfig.json,
// and links to the packages of this clone. Links are renewed when the clone has moved; all else is never overwritten:
// what a student has changed stays changed, what a student has removed stays removed.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type Lab, starterBytes } from "../book.ts";
import { copyDocumentRoot } from "./document-root.ts";
import { WorkspaceError } from "./error.ts";
import { markGiven, openHistory, wasGiven } from "./history.ts";
import { makeFolders, OpenFolder, stampOf } from "./tree.ts";

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
 * Makes what is missing in the root of a workspace.
 * @param root the workspace, which exists
 * @param packageRoot the clone whose package "workbook" the labs import
 * @throws Error of the file system
 */
export async function scaffoldWorkspace(root: string, packageRoot: string): Promise<void> {
  await OpenFolder.within(root, async folder => {
    await onlyNew(folder, "package.json", `${JSON.stringify(packageJson, null, 2)}\n`);
    await onlyNew(folder, "tsconfig.json", `${JSON.stringify(tsconfigJson, null, 2)}\n`);
  });
  try {
    await linkPackages(root, packageRoot);
  } catch (error) {
    // A person who has made a link of node_modules gets no packages in it.
    if (!(error instanceof WorkspaceError)) throw error;
  }
}

async function linkPackages(root: string, packageRoot: string): Promise<void> {
  const modules = join(root, "node_modules");
  for (const name of [".bin", "@types"]) await makeFolders(root, ["node_modules", name]);
  const link = (name: string, target: string) =>
    OpenFolder.within(dirname(join(modules, name)), folder =>
      folder.linkTo(name.slice(name.lastIndexOf("/") + 1), target),
    );
  await link("workbook", packageRoot);
  const require = createRequire(join(packageRoot, "package.json"));
  for (const [name, program] of [
    ["tsx", "dist/cli.mjs"],
    ["typescript", "bin/tsc"],
    ["@types/node", null],
  ] as const) {
    const folder = folderOf(name, require);
    if (!folder) continue; // installed without development packages: the labs run all the same
    await link(name, folder);
    if (program) await link(`.bin/${program === "bin/tsc" ? "tsc" : name}`, join(folder, program));
  }
}

/**
 * Makes what is missing in the folder of a lab.
 * @param root the workspace, which exists
 * @param lab its id, its files, and whether its server serves the document root
 * @param packageRoot the clone whose package "workbook" the lab imports
 * @throws WorkspaceError "link-not-followed", or the error of the file system
 */
export async function scaffoldLab(
  root: string,
  { id, files, site }: Pick<Lab, "id" | "files" | "site">,
  packageRoot: string,
): Promise<void> {
  const names = id.split("/");
  const path = join(root, ...names);
  // A person may have removed the lab's folder: then the lab is new, whatever its history says.
  const isNew = stampOf(path) === "" && (await makeFolders(root, names));
  // The student may have removed the whole workspace meanwhile, and what editors need in it with it.
  if (stampOf(join(root, "node_modules/workbook")) === "") await scaffoldWorkspace(root, packageRoot);
  await OpenFolder.within(path, async folder => {
    // As root, programs run as another user, who must be able to read the lab's folder whatever root's umask is.
    if (process.getuid!() === 0) await folder.permit(0o055);
    await openHistory(root, id);
    for (const { file, starter } of files) {
      const given = { root, lab: id, file };
      // A history says that the student got this file once: if it is gone, the student has removed it.
      if (!isNew && wasGiven(given)) continue;
      await folder.create(file, await starterBytes(starter)).catch(unlessThere);
      await markGiven(given);
    }
    if (site) await copyDocumentRoot(folder, packageRoot);
  });
}

function unlessThere(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
}

async function onlyNew(folder: OpenFolder, name: string, content: string): Promise<void> {
  if (!(await folder.has(name))) await folder.create(name, content);
}

function folderOf(name: string, require: NodeJS.Require): string | null {
  try {
    return dirname(require.resolve(`${name}/package.json`));
  } catch {
    return null;
  }
}
