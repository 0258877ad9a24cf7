import { patternNames, type CopyingAnswer, type LensSessionRun, type PatternName } from "@qkv/lens/session";
import { useCallback, useMemo, type ReactNode } from "react";
import { weakBelow, type RankedHead } from "./head-ranking";
import { headVerdict } from "./head-verdict";
import { Picture, type PictureArgs } from "./picture";
import { sortedBy, type Place } from "./place";
import { Bar } from "./bar";
import type { ChosenHead } from "./source-name";
import { clipped, decimals } from "./text-of";
import type { Answered } from "./use-answer";
import styles from "./explorer.module.css";

/** Scores of heads in words. */
const scoreWords: Record<PatternName, string> = {
  induction: "induction: the token after a copy",
  previousToken: "previous token",
  firstToken: "first token of the text",
  sameToken: "an earlier copy of itself",
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
  ownText,
  toOwnText,
  isRandom,
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
  /** Runs a text of random words that occurs twice. Undefined: the vocabulary has too few words. */
  repeatTokens: (() => void) | undefined;
  /** The reader's text before it. Undefined: it is the one that is run, or there was no random one. */
  ownText: string | undefined;
  /** Back to it. */
  toOwnText: () => void;
  /** True: the text is random words, repeated. */
  isRandom: boolean;
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
        Press one to see it large; with the keyboard, arrows move from head to head, and Enter opens one.
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
            {...{ ranked, copying, chosen, open, isRandom }}
            name={place.score}
            uniform={run.uniform[place.score]!}
          />
        )}
        {(repeatTokens || ownText !== undefined) && (
          <p>
            {repeatTokens && (
              <button type="button" onClick={repeatTokens}>
                Use {isRandom ? "other" : "a text of"} random words, repeated twice
              </button>
            )}{" "}
            {ownText !== undefined && (
              <button type="button" onClick={toOwnText}>
                Back to your text, “{clipped(ownText)}”
              </button>
            )}{" "}
            <span className={styles.quiet}>
              {isInduction
                ? "Only a head that copies can tell how random words go on."
                : "Random words have no grammar and no meaning: the pattern that a head shows on them is its own, not that of the text."}
            </span>
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
  isRandom,
}: {
  /** True: the text is random words, repeated. */
  isRandom: boolean;
  ranked: readonly RankedHead[];
  name: PatternName;
  uniform: number;
  copying: Answered<CopyingAnswer>;
  chosen: ChosenHead;
  open: (head: ChosenHead) => void;
}): ReactNode {
  const tried = copying.isOpen ? 0 : (copying.answer?.positions.length ?? 0);
  const isInduction = name === "induction";
  const { clear, verdict, details } = headVerdict(name, ranked, { tried, isRandom });
  return (
    <>
      {(!isInduction || tried > 0) && (
        <p {...{ [isInduction ? "data-copies" : "data-shows"]: clear.length }}>
          <b>{verdict}</b> {details.join(" ")}
        </p>
      )}
      <p className={styles.quiet}>
        The score is the mean attention weight on these keys: 1 is all of it, {decimals(uniform)} is that of a
        head that attends to all keys alike, and below {decimals(weakBelow(uniform))} it is weak.
        {isInduction &&
          tried > 0 &&
          ` A head copies a token if attending to it puts that same token among the five highest logits of its output (OV circuit), and it copies clearly with half of the ${tried} that ${tried === 1 ? "was" : "were"} tried.`}
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
              <span> · {`copies\u00a0${copied}\u00a0of\u00a0${tried}`}</span>
            )}
          </li>
        ))}
      </ol>
    </>
  );
}
