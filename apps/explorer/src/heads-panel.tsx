import { patternNames, type CopyingAnswer, type LensSessionRun, type PatternName } from "@qkv/lens/session";
import { useCallback, useMemo, type ReactNode } from "react";
import { copiesClearly, weakBelow, type RankedHead } from "./head-ranking";
import { Picture, type PictureArgs } from "./picture";
import { sortedBy, type Place } from "./place";
import { Bar } from "./bar";
import type { ChosenHead } from "./source-name";
import { decimals } from "./text-of";
import type { Answered } from "./use-answer";
import styles from "./explorer.module.css";

/** Scores of heads in words. */
const scoreWords: Record<PatternName, string> = {
  induction: "induction, copying: attends to what followed the same token before",
  previousToken: "previous token: attends to the token before",
  firstToken: "first token: attends to the start of the text",
  sameToken: "same token: attends to an earlier one like itself",
};

/** All heads as small maps, and those that score highest as a list. */
export function HeadsPanel({
  run,
  ranked,
  copying,
  place,
  chosen,
  change,
  open,
  repeatTokens,
  refusal,
}: {
  run: LensSessionRun;
  /** The heads that score highest, in the order in which they are listed. */
  ranked: readonly RankedHead[];
  /** The tokens that they copy. */
  copying: Answered<CopyingAnswer>;
  place: Place;
  chosen: ChosenHead;
  change: (change: Partial<Place>) => void;
  /** Opens a head that is pressed. */
  open: (head: ChosenHead) => void;
  /** Runs a text of random tokens that occurs twice. */
  repeatTokens: () => void;
  /** The error of that text. */
  refusal: string | undefined;
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
    ({ layer, head }: { layer: number; head: number }) => open({ layer: layers[layer]!, head }),
    [open, layers],
  );
  const isInduction = place.score === "induction";
  return (
    <div>
      <p className={styles.quiet}>
        Each small map is one head: a row for each query, a column for each key, ink for the attention weight.
        Press a head to see it large.
      </p>
      <div className={styles.wide}>
        <Picture name="qkv-head-grid" args={args} event="headselect" onChoose={choose} />
      </div>
      <div className={styles.ranked}>
        <label className={styles.field}>
          <span>Sort heads by</span>
          <select
            value={place.score}
            onChange={({ target }) => change(sortedBy(target.value as PatternName))}
          >
            {patternNames.map((name) => (
              <option key={name} value={name}>
                {scoreWords[name]}
              </option>
            ))}
          </select>
        </label>
        {ranked.length === 0 ? (
          <p>
            {run.tokens.length < 2
              ? "One token shows no pattern. Type a longer text."
              : "No token occurs twice in this text, so this pattern cannot be seen on it."}
          </p>
        ) : (
          <Ranking
            {...{ ranked, copying, chosen, open }}
            name={place.score}
            uniform={run.uniform[place.score]!}
          />
        )}
        {(isInduction || ranked.length === 0) && (
          <p>
            <button type="button" onClick={repeatTokens}>
              Use a text of random words, repeated twice
            </button>{" "}
            <span className={styles.quiet}>Only a head that copies can tell how it goes on. {refusal}</span>
          </p>
        )}
      </div>
    </div>
  );
}

/** Heads by their score, beside that of a head that attends to all keys alike. */
function Ranking({
  ranked,
  name,
  uniform,
  copying,
  chosen,
  open,
}: {
  ranked: readonly RankedHead[];
  name: PatternName;
  uniform: number;
  copying: Answered<CopyingAnswer>;
  chosen: ChosenHead;
  open: (head: ChosenHead) => void;
}): ReactNode {
  const tried = copying.isOpen ? 0 : (copying.answer?.positions.length ?? 0);
  const isInduction = name === "induction";
  const clear = ranked.filter((head) => copiesClearly(head, tried));
  return (
    <>
      {isInduction && tried > 0 && (
        <p data-copies={clear.length}>
          <b>
            {clear.length === 0
              ? "No head of this model copies clearly on this text."
              : `${clear.map(({ layer, head }) => `Layer ${layer}, head ${head}`).join("; ")}: ${clear.length === 1 ? "copies" : "copy"} clearly on this text.`}
          </b>
        </p>
      )}
      <p className={styles.quiet}>
        The score is the mean attention weight on the keys of the pattern. A head that attends to all keys
        alike would have {decimals(uniform)}; below {decimals(weakBelow(uniform))}, a third of the way from
        there to 1, a score is weak.
        {isInduction &&
          tried > 0 &&
          ` A head copies a token if attending to it raises the same token to the five highest logits (OV circuit); ${tried} that followed a repeated token ${tried === 1 ? "was" : "were"} tried. Clearly: a score that is not weak, and half of them or more.`}{" "}
        A sort opens the first head of its list.
      </p>
      {copying.failure !== undefined && (
        <p className={styles.quiet}>Copying was not measured: {copying.failure}</p>
      )}
      <ol className={styles.ranking} data-ranking={name} aria-busy={copying.isOpen}>
        {ranked.map(({ layer, head, score, isWeak, copied }) => (
          <li key={`${layer}.${head}`}>
            <button
              type="button"
              aria-pressed={layer === chosen.layer && head === chosen.head}
              onClick={() => open({ layer, head })}
            >
              layer {layer}, head {head}
            </button>{" "}
            <Bar part={score} /> {decimals(score)}
            {isWeak && <span className={styles.quiet}> weak</span>}
            {isInduction && copied !== undefined && tried > 0 && (
              <span>
                {" "}
                · copies {copied} of {tried}
              </span>
            )}
          </li>
        ))}
      </ol>
    </>
  );
}
