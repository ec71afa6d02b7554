// Log. A task writes 200 kB of lines to a pipe whose reader begins after a second.
import { spawn as startProcess } from "node:child_process";
import { Pipe } from "workbook/net";
import { run } from "workbook/tasks";
import { besideHeartbeat } from "./heartbeat.ts";

// #region log
function writesLog(): void {
  const pipe = new Pipe();
  startProcess("sh", ["-c", "sleep 1; cat > /dev/null"], { stdio: [pipe.readFd, "inherit", "inherit"] });
  for (let i = 0; i < 2000; i++) pipe.write(`GET /tea/${i} ${"-".repeat(84)}\n`);
  pipe.closeWriter();
  pipe.closeReader();
}
// #endregion log

run(besideHeartbeat("a full pipe", writesLog));
