import type { Edit } from "./change";

/**
 * Help with an exercise: a hint, one of several solutions, and a second task of the same kind. CI applies all of it.
 */
export type Exercise = {
  hint: string;
  solution: readonly Edit[];
  /** Explanation below the solution. */
  because: string;
  /** Typical wrong solutions: CI asserts that the checks reject each. */
  wrong?: readonly { says: string; edits: readonly Edit[] }[];
  /** Edits of the exercise's original code that give the second task, and a solution of it. */
  next: { task: string; edits: readonly Edit[]; solution: readonly Edit[] };
};
