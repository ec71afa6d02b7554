// Another right answer, in another style: generators whose calls are yielded to the loop, and not made with yield*. The loop
// keeps a stack of generators for each task, as Python programs did before `yield from`.
import { SO_REUSEADDR, SOCK_NONBLOCK, SOL_SOCKET, Socket, SyscallError, sleep } from "workbook/net";

type Routine = Generator<Routine | "turn", unknown, unknown>;

/** A task: the generators that wait for each other, the one that runs last. */
class Task {
  readonly #stack: Routine[];
  #result: unknown;
  #error: unknown = null;

  constructor(first: Routine) {
    this.#stack = [first];
  }

  get isDone(): boolean {
    return this.#stack.length === 0;
  }

  /** Goes on to the next turn, or to the end. */
  resume(): void {
    let top = this.#stack.at(-1);
    for (; top; top = this.#stack.at(-1)) {
      try {
        const [result, error] = [this.#result, this.#error];
        this.#result = this.#error = null;
        const { value, done } = error === null ? top.next(result) : top.throw(error);
        if (done) {
          this.#stack.pop();
          this.#result = value;
        } else if (value === "turn") return;
        else this.#stack.push(value as Routine);
      } catch (error) {
        this.#stack.pop();
        this.#error = error;
      }
    }
    if (this.#error !== null) throw this.#error;
  }
}

class Sorry extends Error {}

const inbox = new WeakMap<Socket, Buffer>();

function* line(socket: Socket): Routine {
  let held = inbox.get(socket) ?? Buffer.alloc(0);
  for (let end = held.indexOf(10); ; end = held.indexOf(10)) {
    if (end >= 0) {
      inbox.set(socket, held.subarray(end + 1));
      return held.toString("latin1", 0, end);
    }
    const data = socket.recv(1000);
    if (data === null) yield "turn";
    else if (data.length === 0) return null;
    else held = Buffer.concat([held, data]);
  }
}

function* write(socket: Socket, text: string): Routine {
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < bytes.length; ) {
    const sent = socket.send(bytes.subarray(at));
    if (sent === null) yield "turn";
    else at += sent;
  }
  return null;
}

function* number(socket: Socket, most: number): Routine {
  const text = (yield line(socket)) as string | null;
  if (text === null) return null;
  const isNumber = /^[1-9]\d{0,5}$/.test(text) && Number(text) <= most;
  if (!isNumber) throw new Sorry(`sorry, a number from 1 to ${most}\n`);
  return Number(text);
}

/** @returns "done", "sorry", or null when the client has gone */
function* order(socket: Socket, name: string): Routine {
  try {
    yield write(socket, `hello ${name}, how many teas?\n`);
    const count = (yield number(socket, 9)) as number | null;
    if (count === null) return null;
    let sheet = "";
    for (let i = 1; i <= count; i++) {
      yield write(socket, `tea ${i}?\n`);
      const tea = yield line(socket);
      if (tea === null) return null;
      sheet += `${name}: ${tea}\n`;
    }
    yield write(socket, "how many sheets?\n");
    const sheets = (yield number(socket, 100_000)) as number | null;
    if (sheets === null) return null;
    yield write(socket, `${sheet.repeat(sheets)}done, ${name}\n`);
    return "done";
  } catch (error) {
    if (!(error instanceof Sorry)) throw error;
    yield write(socket, error.message);
    return "sorry";
  }
}

function* guest(socket: Socket): Routine {
  let [name, orders] = ["no name", 0];
  try {
    while (true) {
      const next = (yield line(socket)) as string | null;
      if (next === null) return null;
      if (next === "bye") break;
      name = next;
      const end = yield order(socket, name);
      if (end === null) return null;
      if (end === "done") orders++;
    }
    yield write(socket, "bye\n");
    return null;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return null;
  } finally {
    socket.close();
    console.log(`left: ${name}, orders: ${orders}`);
  }
}

const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ port: Number(process.argv[2]) });
listener.listen(128);
listener.setBlocking(false);

let tasks: Task[] = [];
while (true) {
  for (let next = listener.accept(SOCK_NONBLOCK); next; next = listener.accept(SOCK_NONBLOCK)) {
    tasks.push(new Task(guest(next.client)));
  }
  for (const task of tasks) task.resume();
  tasks = tasks.filter(task => !task.isDone);
  sleep(2);
}
