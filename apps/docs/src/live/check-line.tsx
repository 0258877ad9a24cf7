import type { ReactNode } from "react";
import styles from "./live.module.css";

/** A line with a claim: of an exercise, if it is reached; of another example, if it is true as the code stands. */
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
