import type { ReactNode } from "react";
import type { Look } from "./look";
import { visible } from "./visible-token";
import styles from "./first.module.css";

/** The most probable next tokens as bars. A click appends one. */
export function NextTokens({
  next,
  append,
}: {
  next: Look["next"];
  append: (text: string) => void;
}): ReactNode {
  return (
    <div className={styles.next} role="group" aria-label="Likeliest next tokens">
      <p className={styles.says}>What comes next? Press a word to add it.</p>
      {next.map(({ text, probability }, i) => (
        <button key={i} type="button" className={styles.candidate} onClick={() => append(text)}>
          <span className={styles.candidateBar} style={{ inlineSize: `${100 * probability}%` }} />
          <b>{visible(text)}</b>
          <span>{shown(probability)}</span>
        </button>
      ))}
    </div>
  );
}

const shown = (probability: number) => (probability < 0.01 ? "< 1%" : `${(100 * probability).toFixed(0)}%`);
