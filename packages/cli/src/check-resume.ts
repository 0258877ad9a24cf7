import { checks } from "@qkv/core";

/** Saved hyperparameters of a run. */
export type SavedRecipe = { readonly steps: number } & Readonly<Record<string, unknown>>;

/**
 * Refuses to resume the run in a folder with other hyperparameters. Only `steps` may be larger.
 *
 * @param saved - Hyperparameters of the run in the folder.
 * @param requested - Hyperparameters of this call.
 * @param options - `flags`: flags of the command, by field. `fix`: the fix for a field that differs.
 */
export function checkResume(
  saved: SavedRecipe,
  requested: SavedRecipe,
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
  if (requested.steps < saved.steps) {
    check.refuse({
      argument: "--steps",
      received: requested.steps,
      expected: `${saved.steps} or more, as the run in the folder has`,
      fix: "leave it out, or raise it; an earlier end is Ctrl-C.",
    });
  }
  const json = (value: unknown) => JSON.stringify(value ?? null);
  const differing = Object.keys(flags).find(
    (name) => name !== "steps" && json(requested[name]) !== json(saved[name]),
  );
  if (differing === undefined) return;
  const describeShort = (value: unknown) => (typeof value === "object" ? "another" : value);
  check.refuse({
    argument: flags[differing]!,
    received: differing === "text" ? "another text" : describeShort(requested[differing]),
    expected:
      differing === "text"
        ? "the text of the run in the folder"
        : `${String(describeShort(saved[differing]))}, as the run in the folder has`,
    fix,
  });
}
