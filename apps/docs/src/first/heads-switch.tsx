import { bars } from "@qkv/viz";
import { useEffect, useState, type ReactNode } from "react";
import type { Look } from "./look";
import { cacheBytes, measuredTokens } from "./cache-bytes";
import type { Question } from "./worker";
import styles from "./first.module.css";

const long = 128 * 1024;

/** Multi-head, grouped or multi-query: what each has to remember, and how long one token takes on this device. */
export function HeadsSwitch({
  look,
  headDim,
  kvHeads,
  choose,
  drift,
  measure,
}: {
  look: Look;
  headDim: number;
  kvHeads: number | undefined;
  choose: (kvHeads: number | undefined) => void;
  drift: number;
  measure: (question: Question) => Promise<{ ms: number[]; device: string } | undefined> | undefined;
}): ReactNode {
  const { layers, heads, tokens } = look;
  const shape = { layers, heads, headDim };
  const grouped = heads / 2;
  const kinds = [
    { name: "MHA", count: heads, says: "each query head has keys and values of its own" },
    {
      name: "GQA",
      count: grouped,
      says: `groups of ${heads / grouped} share theirs, as this model was trained`,
    },
    { name: "MQA", count: 1, says: "all share one" },
  ];
  const own = kinds[1]!;
  const at = kinds.find(({ count }) => count === kvHeads) ?? own;
  const [measured, setMeasured] = useState<{ ms: number[]; device: string }>();
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    if (asked === 0) return;
    void measure({ type: "measure", shape: { layers, heads, headDim }, kvHeads: [heads, grouped, 1] })?.then(
      (answer) => answer && setMeasured(answer),
    );
    // `measure` is another function at each draw: measured is when the reader asks.
  }, [asked]);

  const labels = kinds.map(({ name, count }) => `${name === at.name ? "▸ " : ""}${name}, ${count}`);
  const bytes = (length: number, unit: number) =>
    kinds.map(({ count }) => cacheBytes(shape, count, length) / unit);
  const draw = (data: number[], unit: string, title: string) =>
    bars({ data, shape: [data.length] }, { labels, unit, title });
  return (
    <div className={styles.switch}>
      <h2>How many keys must it keep?</h2>
      <div className={styles.kinds} role="radiogroup" aria-label="How heads share keys and values">
        {kinds.map(({ name, count }) => (
          <label key={name} data-chosen={at.name === name}>
            <input
              type="radio"
              name="kinds"
              checked={at.name === name}
              onChange={() => {
                choose(count);
                setAsked((n) => n + 1);
              }}
            />
            {name}
          </label>
        ))}
        <span className={styles.small}>
          {at.count} key-value {at.count === 1 ? "head" : "heads"} for {heads} query heads: {at.says}.{" "}
          {drift > 0 &&
            `Its opinion of the next token moves by ${(100 * drift).toFixed(0)}%, since it was not trained so.`}
        </span>
      </div>
      <div className={styles.bars}>
        <div
          className={styles.picture}
          dangerouslySetInnerHTML={{
            __html: draw(bytes(tokens.length, 1024), "KiB", `Cache of these ${tokens.length} tokens`),
          }}
        />
        <div
          className={styles.picture}
          dangerouslySetInnerHTML={{ __html: draw(bytes(long, 2 ** 20), "MiB", "Cache of 128k tokens") }}
        />
        {measured ? (
          <div
            className={styles.picture}
            data-measured="yes"
            dangerouslySetInnerHTML={{
              __html: draw(
                measured.ms.map((ms) => Number(ms.toPrecision(3))),
                "ms",
                `A token over ${measuredTokens / 1024}k others`,
              ),
            }}
          />
        ) : (
          <div className={styles.measure}>
            <p className={styles.small}>
              Milliseconds for a token that looks back at {measuredTokens / 1024}k others, in {layers} layers:
            </p>
            <button type="button" onClick={() => setAsked((n) => n + 1)} disabled={asked > 0}>
              {asked > 0 ? "Measuring …" : "Measure on this device"}
            </button>
          </div>
        )}
      </div>
      <p className={styles.small}>
        Bytes are exact: two tensors of float32 in {layers} layers, {headDim} numbers a head and token.{" "}
        {measured && `Attention alone on ${measured.device}, one thread, the shortest of 12, just now.`}
      </p>
    </div>
  );
}
