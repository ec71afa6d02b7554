// Loop watch. A thread that looks whether the main thread still returns to its event loop; time-limit.ts starts it.
import { writeSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { processTree } from "./proc.ts";

const { beats, seconds, pid } = workerData as { beats: Int32Array; seconds: number; pid: number };

let last = -1;
let silent = 0;
// It counts its own looks, not the time: a process that was stopped for a while has not looped.
setInterval(() => {
  const now = Atomics.load(beats, 0);
  silent = now === last ? silent + 1 : 0;
  last = now;
  if (silent >= seconds) end();
}, 1000);

function end(): void {
  writeSync(
    2,
    `The checks ended: their own code did not return for ${seconds} s. A loop in checks.ts must await something, or end.\n`,
  );
  const [, ...programs] = processTree(pid);
  for (const one of [...programs, pid]) {
    try {
      process.kill(one, "SIGKILL");
    } catch {
      // It has ended by itself meanwhile.
    }
  }
}
