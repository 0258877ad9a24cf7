import type { ReactNode } from "react";
import { edited, type Edit } from "./change";
import { DiffLines } from "./change-list";
import type { Exercise } from "./exercise";
import styles from "./live.module.css";

/** True if the code is that of the second task, solved or not. */
export const isSecond = ({ next }: Exercise, code: string): boolean => code.includes(next.edits[0]!.replace);

/**
 * Help below an exercise: a hint and a solution, collapsed, and a reset. Without JavaScript they expand and are text.
 */
export function ExerciseHelp({
  exercise,
  original,
  code,
  solved,
  put,
}: {
  exercise: Exercise;
  /** The exercise's original code, and the current code. */
  original: string;
  code: string;
  solved: boolean;
  /** Replaces the code and runs it. */
  put?: ((code: string) => void) | undefined;
}): ReactNode {
  const { hint, solution, because, next } = exercise;
  const second = isSecond(exercise, code);
  const [task, edits]: [string, readonly Edit[]] = second
    ? [edited(original, next.edits), next.solution]
    : [original, solution];
  return (
    <section className={styles.changes} aria-label="Help with the exercise">
      {second && (
        <p className={styles.says}>
          <strong>{next.task}</strong>
        </p>
      )}
      {!second && (
        <details>
          <summary>Hint</summary>
          <p>{hint}</p>
        </details>
      )}
      <details key={second ? "second" : "first"}>
        <summary>Solution</summary>
        <DiffLines code={task} edits={edits} />
        {!second && <p>{because}</p>}
        {put && (
          <p>
            <button type="button" data-solve onClick={() => put(edited(task, edits))}>
              Use this solution
            </button>
          </p>
        )}
      </details>
      {put && (
        <div className={styles.changeButtons} aria-live="polite">
          {solved && <span className={styles.solved}>Solved.</span>}
          {second ? (
            <button type="button" onClick={() => put(original)}>
              Back to the first exercise
            </button>
          ) : (
            <button type="button" data-next onClick={() => put(edited(original, next.edits))}>
              Next exercise
            </button>
          )}
          {!second && <span>{next.task}</span>}
        </div>
      )}
    </section>
  );
}
