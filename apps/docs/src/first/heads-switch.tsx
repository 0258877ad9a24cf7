import type { ReactNode } from "react";
import { Figure } from "../figures/figure";
import type { Look } from "./look";
import styles from "./first.module.css";

/**
 * Sizes of the KV cache with multi-head, grouped-query and multi-query attention, and a switch of the model's variant.
 */
export function HeadsSwitch({
  look: { heads },
  kvHeads,
  choose,
  drift,
}: {
  look: Look;
  kvHeads: number | undefined;
  choose: (kvHeads: number | undefined) => void;
  drift: number;
}): ReactNode {
  const grouped = heads / 2;
  const kinds = [
    { name: "MHA", count: heads, says: "one for each query head." },
    {
      name: "GQA",
      count: grouped,
      says: `each shared by ${heads / grouped} query heads, as it was trained.`,
    },
    { name: "MQA", count: 1, says: "shared by all query heads." },
  ];
  const modelKind = kinds[1]!;
  const at = kinds.find(({ count }) => count === kvHeads) ?? modelKind;
  return (
    <div className={styles.switch}>
      <h2>How much memory does the KV cache need?</h2>
      <p>
        Each new token reads the keys and values of all tokens before it. When query heads share them, there
        is less to store and less to read.
      </p>
      <Figure name="heads-and-keys" loading="lazy" />
      <h3>What if the model above shared differently?</h3>
      <div className={styles.kinds} role="radiogroup" aria-label="How heads share keys and values">
        {kinds.map(({ name, count }) => (
          <label key={name} data-chosen={at.name === name}>
            <input type="radio" name="kinds" checked={at.name === name} onChange={() => choose(count)} />
            {name}
          </label>
        ))}
        <span className={styles.small}>
          {at.count} KV {at.count === 1 ? "head" : "heads"} for {heads} query heads, {at.says}{" "}
          {drift > 0 &&
            `Forcing ${at.name} on this GQA model shifts its prediction by ${(100 * drift).toFixed(0)}%.`}
        </span>
      </div>
    </div>
  );
}
