// Parked frames. Five small programs about generators: npx tsx frames.ts parked, or called, forgotten, ended, turns.

// #region parked
function* order(name: string): Generator<string, string, string> {
  const teas: string[] = [];
  while (teas.length < 2) {
    teas.push(yield `tea ${teas.length + 1}, ${name}?`);
  }
  return `${name}: ${teas.join(", ")}`;
}

function parked(): void {
  const mei = order("Mei");
  const bo = order("Bo");
  console.log(mei.next());
  console.log(bo.next());
  console.log(mei.next("green"));
  console.log(bo.next("black"));
  console.log(mei.next("white"));
}
// #endregion parked

// #region called
function* countTo(most: number): Generator<void, string> {
  for (let i = 1; i <= most; i++) {
    console.log(i);
    yield;
  }
  return `counted to ${most}`;
}

function* twice(): Generator<void, void> {
  console.log(yield* countTo(2));
  console.log(yield* countTo(1));
}

function called(): void {
  const task = twice();
  while (!task.next().done) console.log("parked");
}
// #endregion called

// #region forgotten
function* careless(): Generator<void, void> {
  console.log("begins");
  countTo(2);
  yield* countTo(1);
  console.log("ends");
}

function forgotten(): void {
  const task = careless();
  while (!task.next().done) console.log("parked");
}
// #endregion forgotten

// #region ended
function* hold(name: string): Generator<void, void> {
  try {
    yield* countTo(9);
  } catch (error) {
    console.log(`${name} catches: ${(error as Error).message}`);
  } finally {
    console.log(`${name}: finally`);
  }
}

function ended(): void {
  const [thrown, returned, fresh, dropped] = ["thrown", "returned", "fresh", "dropped"].map(hold);
  for (const task of [thrown, returned, dropped]) task!.next();
  thrown!.throw(new Error("too late"));
  returned!.return();
  fresh!.return();
}
// #endregion ended

// #region turns
function turns(): void {
  const tasks = new Set([countTo(3), countTo(1)]);
  while (tasks.size > 0) {
    for (const task of tasks) {
      if (task.next().done) tasks.delete(task);
    }
  }
}
// #endregion turns

const programs = { parked, called, forgotten, ended, turns };
const program = programs[process.argv[2] as keyof typeof programs];
if (program) program();
else console.log(`run it like this: npx tsx frames.ts ${Object.keys(programs).join("|")}`);
