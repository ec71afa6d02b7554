// Child's main. What a process that a student's program forks runs first: it loads the module that fork() named.
import { ModuleLoader } from "./module-loader.ts";
import { childVariable, forkFrom, readTexts, type TextFiles } from "./student-child.ts";
import { hideLoaderWarning, runWorkersFrom } from "./student-worker.ts";
import { reportUncaught } from "./uncaught.ts";

const files = JSON.parse(process.env[childVariable]!) as TextFiles;
delete process.env[childVariable];
process.argv.splice(1, 1);
const texts = readTexts(files);
runWorkersFrom(texts);
forkFrom(files);
hideLoaderWarning();
const loader = new ModuleLoader(texts);
reportUncaught(loader);
loader.run(process.argv[1]!).catch(error =>
  // Thrown outside of a promise: an uncaught error, and not an unhandled rejection.
  process.nextTick(() => {
    throw error;
  }),
);
