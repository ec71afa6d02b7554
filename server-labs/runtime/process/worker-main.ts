// Worker's main. What a worker thread of a student's program runs first: it loads the module that the worker was made for.
import { getEnvironmentData } from "node:worker_threads";
import { ModuleLoader } from "./module-loader.ts";
import { hideLoaderWarning, runWorkersFrom, type WorkerModule, workerDataKey } from "./student-worker.ts";

const { path, texts } = getEnvironmentData(workerDataKey) as unknown as WorkerModule;
process.argv[1] = path;
runWorkersFrom(texts);
hideLoaderWarning();
await new ModuleLoader(texts).run(path);
