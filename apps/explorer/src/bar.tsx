import type { ReactNode } from "react";
import { signed } from "./text-of";
import styles from "./explorer.module.css";

/** A part of the longest bar, 0 to 1. */
export function Bar({ part, look }: { part: number; look?: string | undefined }): ReactNode {
  return <span className={`${styles.bar} ${look ?? ""}`} style={{ "--part": part } as object} />;
}

/** A part of a sum as a bar with its number; those below 0 have another color. */
export function SignedBar({ value, most }: { value: number; most: number }): ReactNode {
  return (
    <>
      <Bar part={Math.abs(value) / most} look={value < 0 ? styles.negative : undefined} />
      {signed(value)}
    </>
  );
}
