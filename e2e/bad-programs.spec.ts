// Whatever a student's file does, the page says what happened in a sentence, and the next program runs.
import { expect, openLesson, run, stop, test } from "./student.ts";

const cases = [
  {
    name: "a syntax error",
    text: "const port = 7890;\nconst = 3;\n",
    says: /server\.ts.*2|line 2/,
  },
  {
    name: "TypeScript that cannot be erased",
    text: "enum State { Ready }\nconsole.log(State.Ready);\n",
    says: /enum/,
  },
  { name: "a program that exits at once", text: "process.exit(3);\n", says: /exited with 3/ },
  {
    name: "a program that throws",
    text: 'function handler() {\n  throw new Error("no such luck");\n}\nhandler();\n',
    says: /no such luck/,
  },
  {
    name: "a segmentation fault",
    text: 'console.log("last words");\nprocess.kill(process.pid, "SIGSEGV");\n',
    says: /SIGSEGV/,
  },
];

for (const { name, text, says } of cases) {
  test(`${name} is said`, async ({ page, student }) => {
    student.writes(text);
    await openLesson(page, student);
    await run(page);
    await expect(page.getByText(says).first()).toBeVisible();
    await expect(page.getByRole("button", { name: "Run", exact: true })).toBeVisible();
    student.writes('console.log("well again");\n');
    await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("well again");
    await run(page);
    await expect(page.getByRole("tabpanel", { name: "Output", exact: true })).toContainText("well again");
    await expect(page.getByText("exited with 0").first()).toBeVisible();
  });
}

test("a loop without end can be stopped", async ({ page, student }) => {
  student.writes('console.log("round and round");\nfor (;;) {}\n');
  await openLesson(page, student);
  await run(page);
  await expect(page.getByRole("tabpanel", { name: "Output", exact: true })).toContainText("round and round");
  await stop(page);
  await expect(page.getByRole("button", { name: "Run", exact: true })).toBeVisible();
});

test("a flood is drained, cut and counted, and the page stays alive", async ({ page, student }) => {
  student.writes('const line = "x".repeat(1000);\nfor (;;) console.log(line);\n');
  await openLesson(page, student);
  await run(page);
  const output = page.getByRole("tabpanel", { name: "Output", exact: true });
  await expect(output).toContainText("not shown");
  await stop(page);
  await expect(page.getByRole("button", { name: "Run", exact: true })).toBeVisible();
});
