import type { Edit } from "./change";

/** Help with an exercise: a hint, one solution of several, and a second task of the same kind. CI applies all of it. */
export type Exercise = {
  hint: string;
  solution: readonly Edit[];
  /** Said below the solution: why it is one. */
  because: string;
  /** Solutions that are wrong, as people write them: CI asserts that the checks refuse each. */
  wrong?: readonly { says: string; edits: readonly Edit[] }[];
  /** Edits of the exercise's own code that make the second task, and a solution of that. */
  next: { task: string; edits: readonly Edit[]; solution: readonly Edit[] };
};
