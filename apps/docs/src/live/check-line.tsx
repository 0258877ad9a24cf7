import type { ReactNode } from "react";
import styles from "./live.module.css";

/** A line with a check: of an exercise, whether the goal is reached; of another example, whether the claim holds. */
export function CheckLine({
  what,
  holds,
  exercise,
}: {
  what: string;
  holds: boolean;
  exercise: boolean;
}): ReactNode {
  const verdict = exercise ? (holds ? "Correct" : "Not yet") : holds ? "True" : "Not true";
  return (
    <p className={styles.check} data-holds={holds}>
      <span aria-hidden="true">{holds ? "✓" : "○"}</span> {what} <em>{verdict}</em>
    </p>
  );
}
