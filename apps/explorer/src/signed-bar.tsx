import type { ReactNode } from "react";
import { decimals } from "./text-of";
import styles from "./explorer.module.css";

/** A part of a sum as a bar with its number; those below 0 have another color. */
export function SignedBar({ value, most }: { value: number; most: number }): ReactNode {
  return (
    <>
      <span
        className={`${styles.bar} ${value < 0 ? styles.negative : ""}`}
        style={{ width: `${(6 * Math.abs(value)) / most}rem` }}
      />
      {decimals(value)}
    </>
  );
}
