import type { HeadAnswer, ScorePartsAnswer, TextQuestion } from "@qkv/lens/session";
import { useCallback, useMemo, useState, type ReactNode, type Ref } from "react";
import type { LensClient } from "./client";
import { useIsNarrow } from "./narrow";
import { Picture, type PictureArgs } from "./picture";
import { switchedOver, type Place } from "./place";
import type { QuestionOf } from "./protocol";
import { Section } from "./section";
import { Reasons } from "./reasons";
import { ScoreGraph } from "./score-graph";
import type { ChosenHead } from "./source-name";
import { percent, visible } from "./text-of";
import type { Answered } from "./use-answer";
import styles from "./explorer.module.css";

/** Tokens whose arcs and map are drawn: of a longer text those around the query. */
const mostDrawn = 64;
/** Tokens that stand side by side below their arcs; more stand one below the other. */
const mostAcross = 6;
/** Tokens up to which a map is drawn anew for another key. */
const mostFramed = 24;
/** Cells from which `<qkv-attention-map>` draws pixels. */
const fewestPixels = 100_000;

/** The mask of a map: a weight at or before its query that is exactly 0 was rounded to it, or is outside of a window. */
const seenKeys = (weights: Float32Array, length: number) => {
  const data = new Uint8Array(weights.length);
  for (let i = 0; i < data.length; i++)
    data[i] = Number(weights[i] !== 0 || i % length <= Math.floor(i / length));
  return { data, shape: [length, length] };
};

/** The position of the largest weight of a query. */
export function strongestKey(weights: Float32Array, length: number, query: number): number {
  let best = 0;
  for (let key = 1; key <= query; key++)
    if (weights[query * length + key]! > weights[query * length + best]!) best = key;
  return best;
}

/** One head: the tokens that each token attends to, and the reasons. */
export function HeadPanel({
  texts,
  tokens,
  chosen: { layer, head },
  query,
  keyAt,
  weights,
  reasons,
  client,
  of,
  place,
  change,
  trace,
  back,
  toAll,
  heading,
  children,
}: {
  /** The tokens alone. */
  texts: readonly string[];
  /** The tokens, with their positions where the same one occurs twice. */
  tokens: readonly string[];
  chosen: { readonly layer: number; readonly head: number };
  query: number;
  keyAt: number | undefined;
  weights: Answered<HeadAnswer, QuestionOf<"head">>;
  reasons: Answered<ScorePartsAnswer>;
  client: LensClient | undefined;
  /** The text, and what the layers below the head are without. */
  of: TextQuestion;
  place: Place;
  change: (change: Partial<Place>) => void;
  /** Opens a head that a reason names, with the position that it wrote to as the query. */
  trace: (head: ChosenHead, query: number) => void;
  /** Back to the head whose reasons led here. */
  back: { readonly head: ChosenHead; go(): void } | undefined;
  /** To the maps of all heads. */
  toAll: () => void;
  /** The heading, which gets the focus when a head is opened from elsewhere on the page. */
  heading: Ref<HTMLHeadingElement>;
  /** The result of what is switched off. */
  children: ReactNode;
}): ReactNode {
  const isNarrow = useIsNarrow();
  const T = tokens.length;
  const data = weights.answer?.weights.length === T * T ? weights.answer.weights : undefined;
  // The tokens that are drawn stay while the query is one of them.
  const [start, setStart] = useState(0);
  const isDrawn = start <= query && query < start + mostDrawn;
  const from = isDrawn ? start : Math.max(0, Math.min(T, query + 1) - mostDrawn);
  if (from !== start) setStart(from);
  const isWhole = T * T > fewestPixels;
  const base = useMemo(() => {
    if (!data) return undefined;
    const to = Math.min(T, from + mostDrawn);
    const [labels, length] = [tokens.slice(from, to).map(visible), to - from];
    const part = new Float32Array(length * length);
    for (let t = 0; t < length; t++)
      part.set(data.subarray((from + t) * T + from, (from + t) * T + to), t * length);
    const picture = { data: part, shape: [length, length] };
    return isWhole
      ? { labels, picture, map: { data, shape: [T, T] }, mask: seenKeys(data, T) }
      : { labels, picture, map: picture, mask: seenKeys(part, length) };
  }, [data, from, T, tokens, isWhole]);
  // Of the weights that are drawn, which are those of the head before while others are computed.
  const drawn = weights.question;
  const title = drawn && `Layer ${drawn.layer}, head ${drawn.head}`;
  const arcs = useMemo((): PictureArgs<"qkv-token-arcs"> | undefined => {
    if (!base) return undefined;
    const { labels, picture } = base;
    const column = keyAt !== undefined && keyAt >= from ? { column: keyAt - from } : {};
    return [
      picture,
      {
        ...{ labels, query: query - from, selected: { row: query - from, ...column } },
        ...(title !== undefined && { title }),
        minWeight: 0.02,
        // Beside the map there is room for a few tokens.
        direction: labels.length > mostAcross ? "down" : "across",
      },
    ];
  }, [base, from, query, keyAt, title]);
  // Thousands of cells take a second to draw: a map of them keeps the frame that it moved itself.
  const framed = base && base.labels.length <= mostFramed ? keyAt : undefined;
  const cells = useMemo((): PictureArgs<"qkv-attention-map"> | undefined => {
    if (!base) return undefined;
    const { labels, map, mask } = base;
    const first = isWhole ? 0 : from;
    const column = framed === undefined ? {} : { column: framed - first };
    // Of a text between these sizes a whole map would be an SVG of tens of thousands of cells.
    return [
      map,
      {
        ...{ mask, selected: { row: query - first, ...column } },
        ...(title !== undefined && { title }),
        ...(!isWhole && { rowLabels: labels, columnLabels: labels }),
        ...(!isWhole && isNarrow && { cellSize: Math.max(3, Math.min(24, Math.floor(270 / labels.length))) }),
      },
    ];
  }, [base, from, query, framed, isNarrow, isWhole, title]);
  /** A weight of a picture whose first token is another; without a key, and of a key after the query, the query alone. */
  const chooseFrom = useCallback(
    (first: number, { row, column }: { row: number; column?: number }) =>
      change({
        query: first + row,
        key: column === undefined || column > row ? undefined : first + column,
      }),
    [change],
  );
  const chooseDrawn = useCallback(
    (chosen: { row: number; column?: number }) => chooseFrom(from, chosen),
    [chooseFrom, from],
  );
  const chooseCell = useCallback(
    (chosen: { row: number; column?: number }) => chooseFrom(isWhole ? 0 : from, chosen),
    [chooseFrom, isWhole, from],
  );
  const row = data ? Array.from(data.subarray(query * T, query * T + query + 1)) : [];
  const strongest = row
    .map((weight, key) => ({ key, weight }))
    .sort((a, b) => b.weight - a.weight)
    .slice(0, 6);
  const switched = `${layer}.${head}`;
  const isOff = place.off.includes(switched);
  return (
    <Section title={`Layer ${layer}, head ${head}`} of={weights} heading={heading}>
      <p className={styles.quiet}>
        How much a query (blue) attends to each key (orange) at or before it; hatched cells of the map are
        later keys, which the mask hides from it. Press a token below the arcs to make it the query, an arc or
        a cell of the map for a query with its key; the reasons follow below.
      </p>
      <div className={styles.row}>
        <label className={styles.field}>
          <span>Query</span>
          <select
            value={query}
            onChange={({ target }) => change({ query: Number(target.value), key: undefined })}
          >
            {tokens.map((token, i) => (
              <option key={i} value={i}>
                {i}: {visible(token)}
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          aria-pressed={isOff}
          onClick={() => change({ off: switchedOver(place.off, switched) })}
        >
          {isOff ? "Switch this head on" : "Switch this head off"}
        </button>
        <button type="button" onClick={toAll}>
          All heads
        </button>
        {back && (
          <button type="button" onClick={back.go}>
            Back to layer {back.head.layer}, head {back.head.head}
          </button>
        )}
      </div>
      {children}
      <div className={styles.beside}>
        <div className={styles.wide}>
          {arcs && (
            <Picture
              name="qkv-token-arcs"
              file={`head-${layer}.${head}-arcs`}
              args={arcs}
              event="cellselect"
              onChoose={chooseDrawn}
            />
          )}
        </div>
        <div className={styles.wide}>
          {cells && (
            <Picture
              name="qkv-attention-map"
              file={`head-${layer}.${head}-map`}
              args={cells}
              event="cellselect"
              onChoose={chooseCell}
            />
          )}
        </div>
      </div>
      <p>
        <b className="means-query">{visible(tokens[query]!)}</b> attends to{" "}
        {strongest.map(({ key, weight }) => (
          <button
            key={key}
            type="button"
            className={styles.token}
            aria-pressed={key === keyAt}
            onClick={() => change({ key })}
          >
            {visible(tokens[key]!)} {percent(weight)}
          </button>
        ))}
      </p>
      {keyAt !== undefined && (
        <>
          <Reasons
            of={reasons}
            {...{ client, tokens, trace }}
            score={{ ...of, layer, head, query, key: keyAt }}
          />
          <ScoreGraph client={client} tokens={texts} score={{ ...of, layer, head, query, key: keyAt }} />
        </>
      )}
    </Section>
  );
}
