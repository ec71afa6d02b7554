// Tasks of real programs: what the events of a run say of them, whose calls are whose, and a step to a task's next step.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { atBestLevel, first, fixture } from "../fixtures/run-helpers.ts";
import type { TemporaryLab } from "../fixtures/temporary-lab.ts";
import { paceSentence, type TaskSample } from "../protocol.ts";
import type { ProcessRun } from "./run.ts";

await atBestLevel("the tasks of a program", make => {
  let at: TemporaryLab;
  const clients: Socket[] = [];
  before(async () => {
    at = await make();
  });
  after(async () => {
    for (const client of clients) client.destroy();
    await at.close();
  });

  const sample = async (run: ProcessRun, holds: (sample: TaskSample) => boolean) =>
    (await first(run, "tasks", event => holds(event.sample))).sample;
  async function client(run: ProcessRun): Promise<Socket> {
    const socket = connect({ port: run.port, host: "127.0.0.1" });
    clients.push(socket);
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  }
  async function answer(socket: Socket, says: string): Promise<string> {
    socket.write(says);
    return String((await once(socket, "data"))[0]);
  }

  test("a server on workbook/tasks: the tree, what each task waits for, and the task of each call", async () => {
    const run = await at.runs.startProgram(at.lab, { text: fixture("echoes-on-tasks.ts") });
    await first(run, "listening");
    const stop = run.kernel!.want(100);
    const [one, two] = [await client(run), await client(run)];
    assert.equal(await answer(one, "tea"), "tea");
    assert.equal(await answer(two, "milk"), "milk");
    const seen = await sample(run, ({ parked }) => parked === 4);
    const codes = seen.tasks.map(({ name, parent, on }) => [name, parent, on?.code]);
    assert.deepEqual(codes, [
      ["main", null, "parked-on-readable"],
      ["clock", 1, "parked-on-timer"],
      ["client 1", 1, "parked-on-readable"],
      ["client 2", 1, "parked-on-readable"],
    ]);
    assert.deepEqual([seen.hub, seen.running, seen.ready, seen.ended], ["workbook", 0, 0, 0]);
    const called = await first(run, "syscalls", event =>
      event.calls.some(({ call, task }) => call === "send" && task?.name === "client 2"),
    );
    const hub = called.calls.find(({ call }) => call === "epoll_wait");
    assert.equal(hub?.task, undefined, "the hub's own calls are of no task");
    stop();
    await run.stop();
  });

  test("a step to a task's next step: the calls of other tasks do not stop the program", async () => {
    const run = await at.runs.startProgram(at.lab, { text: fixture("echoes-on-tasks.ts") });
    await first(run, "listening");
    const [one, two] = [await client(run), await client(run)];
    assert.equal((await answer(one, "tea")) + (await answer(two, "milk")), "teamilk");
    run.kernel!.want(100);
    const { tasks } = await sample(run, ({ parked }) => parked === 4);
    const task = tasks.find(({ name }) => name === "client 2")!.id;
    const waiting = await run.pacer!.step("page 1", { to: "task", task });
    assert.match(paceSentence(waiting), new RegExp(`^will pause at the next step of task ${task};`));
    assert.equal(await answer(one, "more tea"), "more tea");
    two.write("sugar");
    const stopped = await first(run, "pace", pace => pace.state === "stopped");
    assert.match(paceSentence(stopped), /^paused before recv\(/);
    const now = await sample(run, ({ running }) => running === 1);
    assert.equal(now.tasks.find(({ state }) => state === "running")!.name, "client 2");
    await run.stop();
  });

  test("a program's own hub: its tasks, a descriptor closed under a task, and an error that is lost", async () => {
    const run = await at.runs.startProgram(at.lab, { text: fixture("own-hub.ts") });
    const seen = await sample(run, ({ warned }) => warned === 2);
    assert.equal(seen.hub, "own");
    assert.deepEqual(
      seen.tasks.map(({ name, parent, on, resumes }) => [name, parent, on?.code, resumes]),
      [
        ["parent", null, "parked-on-unknown", 1],
        ["child", 1, "parked-on-readable", 2],
      ],
    );
    assert.deepEqual(
      seen.warnings.map(({ statement }) => [statement.code, statement.name]),
      [
        ["task-error-lost", "broken"],
        ["task-descriptor-closed", "child"],
      ],
    );
    assert.deepEqual([seen.turns, seen.spawned, seen.ended, seen.failed], [3, 3, 1, 1]);
    const { calls } = await first(run, "syscalls", event => event.calls.some(({ call }) => call === "recv"));
    assert.deepEqual(calls.find(({ call }) => call === "recv")!.task, { id: 2, name: "child" });
    await run.stop();
  });
});
