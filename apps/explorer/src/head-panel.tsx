import type { HeadAnswer, ReasonsAnswer } from "@qkv/lens/session";
import { useMemo, type ReactNode, type Ref } from "react";
import { useIsNarrow } from "./narrow";
import { Picture, type PictureArgs } from "./picture";
import { switchedOver, type Place } from "./place";
import { Section } from "./section";
import { SignedBar } from "./bar";
import { headOf, SourceName, type ChosenHead } from "./source-name";
import { decimals, percent, visible } from "./text-of";
import type { Answered } from "./use-answer";
import styles from "./explorer.module.css";

/** Tokens whose arcs and map are drawn: of a longer text those around the query. */
const mostDrawn = 64;
/** Cells from which `<qkv-attention-map>` draws pixels. */
const fewestPixels = 100_000;

/** The mask of a map: a weight at or before its query that is exactly 0 was rounded to it, or is outside of a window. */
const seenKeys = (weights: Float32Array, length: number) => ({
  data: Uint8Array.from(weights, (weight, i) => Number(weight !== 0 || i % length <= Math.floor(i / length))),
  shape: [length, length],
});

/** The position of the largest weight of a query. */
export function strongestKey(weights: Float32Array, length: number, query: number): number {
  let best = 0;
  for (let key = 1; key <= query; key++)
    if (weights[query * length + key]! > weights[query * length + best]!) best = key;
  return best;
}

/** One head: the tokens that each token attends to, and the reasons. */
export function HeadPanel({
  tokens,
  chosen: { layer, head },
  query,
  keyAt,
  weights,
  reasons,
  graph,
  place,
  change,
  trace,
  back,
  heading,
  children,
}: {
  tokens: readonly string[];
  chosen: { readonly layer: number; readonly head: number };
  query: number;
  keyAt: number | undefined;
  weights: Answered<HeadAnswer>;
  reasons: Answered<ReasonsAnswer>;
  /** The graph of the sources of the score of a key. */
  graph: (key: number) => ReactNode;
  place: Place;
  change: (change: Partial<Place>) => void;
  /** Opens a head that a reason names, with the position that it wrote to as the query. */
  trace: (head: ChosenHead, query: number) => void;
  /** Back to the head whose reasons led here. */
  back: { readonly head: ChosenHead; go(): void } | undefined;
  /** The heading, which gets the focus when a head is opened from elsewhere on the page. */
  heading: Ref<HTMLHeadingElement>;
  /** The result of what is switched off. */
  children: ReactNode;
}): ReactNode {
  const isNarrow = useIsNarrow();
  const T = tokens.length;
  const data = weights.answer?.weights.length === T * T ? weights.answer.weights : undefined;
  const from = Math.max(0, Math.min(T, query + 1) - mostDrawn);
  const drawn = useMemo(() => {
    if (!data) return undefined;
    const to = Math.min(T, from + mostDrawn);
    const [labels, length] = [tokens.slice(from, to).map(visible), to - from];
    const part = new Float32Array(length * length);
    for (let t = 0; t < length; t++)
      part.set(data.subarray((from + t) * T + from, (from + t) * T + to), t * length);
    const picture = { data: part, shape: [length, length] };
    const arcs: PictureArgs<"qkv-token-arcs"> = [
      picture,
      {
        labels,
        query: query - from,
        minWeight: 0.02,
        direction: length > (isNarrow ? 6 : 14) ? "down" : "across",
      },
    ];
    // Of a text between these sizes a whole map would be an SVG of tens of thousands of cells.
    const map: PictureArgs<"qkv-attention-map"> =
      T * T > fewestPixels
        ? [{ data, shape: [T, T] }, { mask: seenKeys(data, T) }]
        : [
            picture,
            {
              rowLabels: labels,
              columnLabels: labels,
              mask: seenKeys(part, length),
              ...(isNarrow && { cellSize: Math.max(3, Math.min(24, Math.floor(270 / length))) }),
            },
          ];
    return { arcs, map };
  }, [data, from, query, T, tokens, isNarrow]);
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
        How much a query (blue) attends to each key (orange) at or before it. Choose a query, then one of the
        keys that it attends to, for the reasons.
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
        {back && (
          <button type="button" onClick={back.go}>
            Back to layer {back.head.layer}, head {back.head.head}
          </button>
        )}
      </div>
      {children}
      <div className={styles.beside}>
        <div className={styles.wide}>{drawn && <Picture name="qkv-token-arcs" args={drawn.arcs} />}</div>
        <div className={styles.wide}>{drawn && <Picture name="qkv-attention-map" args={drawn.map} />}</div>
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
      {keyAt !== undefined && <Reasons of={reasons} {...{ tokens, query, keyAt, trace }} />}
      {keyAt !== undefined && graph(keyAt)}
    </Section>
  );
}

/** The pairs of sources that a score is the sum of. */
function Reasons({
  of,
  tokens,
  query,
  keyAt,
  trace,
}: {
  of: Answered<ReasonsAnswer>;
  tokens: readonly string[];
  query: number;
  keyAt: number;
  trace: (head: ChosenHead, query: number) => void;
}): ReactNode {
  const { answer } = of;
  const [shown, others] = [answer?.pairs.slice(0, 10) ?? [], answer?.pairs.slice(10) ?? []];
  const rest = others.reduce((sum, { value }) => sum + value, answer?.rest ?? 0);
  const most = Math.max(...(answer?.pairs.map(({ value }) => Math.abs(value)) ?? []), 1e-9);
  return (
    <div
      aria-busy={of.isOpen}
      data-reasons={answer && !of.isOpen ? "ready" : "open"}
      className={styles.reasons}
    >
      <h3>
        Why <span className="means-query">{visible(tokens[query]!)}</span> attends to{" "}
        <span className="means-key">{visible(tokens[keyAt]!)}</span>{" "}
        {of.isOpen && <span className={styles.open}>computing</span>}
      </h3>
      {of.failure !== undefined && (
        <p role="alert" className={styles.failure}>
          {of.failure}{" "}
          <button type="button" onClick={of.again}>
            Compute again
          </button>
        </p>
      )}
      {answer && (
        <>
          <p className={styles.quiet}>
            The score before the softmax, {decimals(answer.dot)}, is a sum over pairs: a source of the query
            and a source of the key.{" "}
            {others.length > 0 &&
              `The ${shown.length} largest are listed, all others add ${decimals(rest)}. `}
            Norms keep the scale of this run.
            {shown.some(({ query, key }) => headOf(query.name) ?? headOf(key.name)) &&
              " Press a head to see why it attended, one layer back."}
          </p>
          <table className={styles.bars}>
            <thead>
              <tr>
                <th scope="col" className="means-query">
                  source of the query
                </th>
                <th scope="col" className="means-key">
                  source of the key
                </th>
                <th scope="col">part of the score</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((pair) => (
                <tr key={`${pair.query.name} ${pair.key.name}`}>
                  <td>
                    <SourceName name={pair.query.name} open={(head) => trace(head, query)} />
                  </td>
                  <td>
                    <SourceName name={pair.key.name} open={(head) => trace(head, keyAt)} />
                  </td>
                  <td>
                    <SignedBar value={pair.value} most={most} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </div>
  );
}
