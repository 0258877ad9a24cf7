import { createContext, useContext, type ReactNode, type Ref } from "react";
import { switchedTexts, type Switched } from "./place";
import type { Answered } from "./use-answer";
import styles from "./explorer.module.css";

/** Parts of the model that are switched off in the run that the sections show. */
export const SwitchedOff = createContext<readonly Switched[]>([]);

/** A part of the page, marked while its question is open, and with what is switched off in the run that it shows. */
export function Section({
  title,
  of,
  heading,
  isOfRun = true,
  children,
}: {
  title: string;
  /** The heading, for who moves the focus to it. */
  heading?: Ref<HTMLHeadingElement>;
  /** The question that it waits for. */
  of?: Pick<Answered<unknown>, "isOpen" | "failure" | "again">;
  /** False: it does not show a run. */
  isOfRun?: boolean;
  children: ReactNode;
}): ReactNode {
  const off = useContext(SwitchedOff);
  return (
    <section className={styles.section} aria-label={title} aria-busy={of?.isOpen ?? false}>
      <h2 {...(heading && { ref: heading, tabIndex: -1 })}>
        {title} {of?.isOpen && <span className={styles.open}>computing</span>}
      </h2>
      {isOfRun && off.length > 0 && (
        <p className={styles.badge} data-without="">
          computed without {switchedTexts(off).join("; ")}
        </p>
      )}
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
