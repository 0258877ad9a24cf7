import type { ReactNode } from "react";
import styles from "./fold.module.css";

/** The folded part below a name of an API page. The browser opens it where a search in the page finds something. */
export function Fold({ title, children }: { title: string; children: ReactNode }): ReactNode {
  return (
    <details className={styles.fold}>
      <summary>{title}</summary>
      {children}
    </details>
  );
}
