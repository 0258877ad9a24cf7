import type { ReactNode } from "react";
import styles from "./name-index.module.css";

type Group = { kind: string; names: readonly (readonly [label: string, id: string])[] };

/** The names of an API page by kind, as links. */
export function NameIndex({ groups }: { groups: readonly Group[] }): ReactNode {
  return (
    <nav className={styles.index} aria-label="Names on this page">
      {groups.map(({ kind, names }) => (
        <section key={kind}>
          <p className={styles.kind}>
            {kind} <span>{names.length}</span>
          </p>
          <ul>
            {names.map(([label, id]) => (
              <li key={id}>
                <a href={`#${id}`}>{label}</a>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  );
}
