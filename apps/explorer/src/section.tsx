import type { ReactNode, Ref } from "react";
import type { Answered } from "./use-answer";
import styles from "./explorer.module.css";

/** A part of the page, marked while its question is open. */
export function Section({
  title,
  of,
  heading,
  children,
}: {
  title: string;
  /** The heading, for who moves the focus to it. */
  heading?: Ref<HTMLHeadingElement>;
  /** The question that it waits for. */
  of?: Pick<Answered<unknown>, "isOpen" | "failure" | "again">;
  children: ReactNode;
}): ReactNode {
  return (
    <section className={styles.section} aria-label={title} aria-busy={of?.isOpen ?? false}>
      <h2 {...(heading && { ref: heading, tabIndex: -1 })}>
        {title} {of?.isOpen && <span className={styles.open}>computing</span>}
      </h2>
      {of?.failure !== undefined && (
        <p className={styles.failure} role="alert">
          {of.failure}{" "}
          <button type="button" onClick={of.again}>
            Compute again
          </button>
        </p>
      )}
      {children}
    </section>
  );
}
