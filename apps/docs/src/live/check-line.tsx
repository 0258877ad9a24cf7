import type { ReactNode } from "react";
import styles from "./live.module.css";

/** A line of an exercise: what is checked, and whether it holds. */
export function CheckLine({ what, holds }: { what: string; holds: boolean }): ReactNode {
  return (
    <p className={styles.check} data-holds={holds}>
      <span aria-hidden="true">{holds ? "✓" : "○"}</span> {what} <em>{holds ? "holds" : "not yet"}</em>
    </p>
  );
}
