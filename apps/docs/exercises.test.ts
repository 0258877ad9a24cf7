import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { runCode } from "./run-code";
import { edited, resultOf } from "./src/live/change";
import type { Exercise } from "./src/live/exercise";
import { isSecond } from "./src/live/exercise-help";
import { isExercise } from "./src/live/is-exercise";

const helps = import.meta.glob<{ default: Exercise }>("./exercises/*.ts");
const folder = new URL("./examples/", import.meta.url);
const names = readdirSync(folder)
  .filter(isExercise)
  .map((file) => file.replace(/\.ts$/, ""));

const checksOf = async (code: string) => Object.values(resultOf(await runCode(code)).checks);

test("each exercise has a hint, a solution and a second task", () =>
  expect(
    Object.keys(helps)
      .map((file) => file.replace(/^.*\/|\.ts$/g, ""))
      .sort(),
  ).toEqual(names.sort()));

describe.each(names)("%s", (name) => {
  const code = readFileSync(new URL(`${name}.ts`, folder), "utf8").trimEnd();

  test("is unsolved initially, and solved by its solution", async () => {
    const { default: exercise } = await helps[`./exercises/${name}.ts`]!();
    expect(await checksOf(code)).toContain(false);
    const checks = await checksOf(edited(code, exercise.solution));
    expect(checks.length).toBeGreaterThan(0);
    expect(checks).not.toContain(false);
    expect(isSecond(exercise, edited(code, exercise.solution))).toBe(false);
  });

  test("rejects each of its wrong solutions", async () => {
    const { default: exercise } = await helps[`./exercises/${name}.ts`]!();
    for (const { says, edits } of exercise.wrong ?? [])
      expect(await checksOf(edited(code, edits)), says).toContain(false);
    expect(await checksOf(code)).toContain(false);
  });

  test("has a second task that its own solution solves", async () => {
    const { default: exercise } = await helps[`./exercises/${name}.ts`]!();
    const second = edited(code, exercise.next.edits);
    expect(await checksOf(second)).toContain(false);
    const solved = edited(second, exercise.next.solution);
    expect(await checksOf(solved)).not.toContain(false);
    expect(isSecond(exercise, second) && isSecond(exercise, solved)).toBe(true);
  });
});
