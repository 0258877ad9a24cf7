import { checks } from "@qkv/core";

/** Fields of a recipe, as they are saved. */
export type NotedRecipe = { readonly steps: number } & Readonly<Record<string, unknown>>;

/**
 * Refuses to go on with another run than the one in the folder. It may take more steps.
 *
 * @param before - The recipe in the folder.
 * @param own - The recipe that was asked for.
 * @param options - `flags`: options of the command by fields of the recipe. `fix`: for a field that differs.
 */
export function checkResume(
  before: NotedRecipe,
  own: NotedRecipe,
  { resume, flags, fix }: { resume: boolean; flags: Readonly<Record<string, string>>; fix: string },
): void {
  const check = checks("qkv");
  if (!resume) {
    check.refuse({
      argument: "--out",
      received: "a folder with a checkpoint",
      expected: "a folder without one",
      fix: "add --resume to go on with it, or name another folder.",
    });
  }
  if (own.steps < before.steps) {
    check.refuse({
      argument: "--steps",
      received: own.steps,
      expected: `${before.steps} or more, as the run in the folder has`,
      fix: "leave it out, or raise it; an earlier end is Ctrl-C.",
    });
  }
  const json = (value: unknown) => JSON.stringify(value ?? null);
  const odd = Object.keys(flags).find((name) => name !== "steps" && json(own[name]) !== json(before[name]));
  if (odd === undefined) return;
  const short = (value: unknown) => (typeof value === "object" ? "another" : value);
  check.refuse({
    argument: flags[odd]!,
    received: odd === "text" ? "another text" : short(own[odd]),
    expected:
      odd === "text"
        ? "the text of the run in the folder"
        : `${String(short(before[odd]))}, as the run in the folder has`,
    fix,
  });
}
