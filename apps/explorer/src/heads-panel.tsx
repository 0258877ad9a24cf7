import { patternNames, type LensSessionRun, type PatternName } from "@qkv/lens/session";
import { useCallback, useMemo, type ReactNode } from "react";
import { Picture, type PictureArgs } from "./picture";
import type { Place } from "./place";
import { Bar } from "./bar";
import styles from "./explorer.module.css";

/** Scores of heads in words. */
const scoreWords: Record<PatternName, string> = {
  induction: "induction (copies): attends to what followed the same token before",
  previousToken: "previous token: attends to the token before",
  firstToken: "first token: attends to the start of the text",
  sameToken: "same token: attends to an earlier one like itself",
};

/** A head with its score. */
export type ScoredHead = { readonly layer: number; readonly head: number; readonly score: number };

/** Heads by a score, the highest first; those without a score are left out. */
export function sortedHeads({ scores, layers, numHeads }: LensSessionRun, name: PatternName): ScoredHead[] {
  return Array.from(scores[name] ?? [], (score, i) => ({
    layer: layers[Math.floor(i / numHeads)]!,
    head: i % numHeads,
    score,
  }))
    .filter(({ score }) => !Number.isNaN(score))
    .sort((a, b) => b.score - a.score);
}

/** All heads as small maps, and those that score highest as a list. */
export function HeadsPanel({
  run,
  place,
  chosen,
  change,
}: {
  run: LensSessionRun;
  place: Place;
  chosen: { readonly layer: number; readonly head: number };
  change: (change: Partial<Place>) => void;
}): ReactNode {
  const { layers, numHeads, maps, cells } = run;
  const row = layers.indexOf(chosen.layer);
  const args = useMemo(
    (): PictureArgs<"qkv-head-grid"> => [
      { data: maps, shape: [layers.length, numHeads, cells, cells] },
      {
        size: Math.max(20, Math.min(56, Math.floor(560 / numHeads))),
        ...(row >= 0 && { selected: { layer: row, head: chosen.head } }),
      },
    ],
    [maps, layers.length, numHeads, cells, row, chosen.head],
  );
  const choose = useCallback(
    ({ layer, head }: { layer: number; head: number }) =>
      change({ head: { layer: layers[layer]!, head }, key: undefined }),
    [change, layers],
  );
  const sorted = sortedHeads(run, place.score).slice(0, 10);
  return (
    <div>
      <p className={styles.quiet}>
        Each small map is one head: a row for each query, a column for each key, ink for the attention weight.
        The score is the mean weight on the keys of a pattern. Press a head to see it large.
      </p>
      <div className={styles.wide}>
        <Picture name="qkv-head-grid" args={args} event="headselect" onChoose={choose} />
      </div>
      <div className={styles.ranked}>
        <label className={styles.field}>
          <span>Sort heads by</span>
          <select
            value={place.score}
            onChange={({ target }) => change({ score: target.value as PatternName })}
          >
            {patternNames.map((name) => (
              <option key={name} value={name}>
                {scoreWords[name]}
              </option>
            ))}
          </select>
        </label>
        {sorted.length === 0 ? (
          <p className={styles.quiet}>
            {run.tokens.length < 2
              ? "One token shows no pattern. Type a longer text."
              : "No token occurs twice in this text. Repeat some words, or sort by another score."}
          </p>
        ) : (
          <ol className={styles.ranking} data-ranking={place.score}>
            {sorted.map(({ layer, head, score }) => (
              <li key={`${layer}.${head}`}>
                <button
                  type="button"
                  aria-pressed={layer === chosen.layer && head === chosen.head}
                  onClick={() => change({ head: { layer, head }, key: undefined })}
                >
                  layer {layer}, head {head}
                </button>{" "}
                <Bar part={score} /> {score.toFixed(2)}
              </li>
            ))}
          </ol>
        )}
      </div>
    </div>
  );
}
