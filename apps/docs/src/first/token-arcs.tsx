import { tokenArcs } from "@qkv/viz";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import type { HeadPlace, Look } from "./look";
import { visible } from "./visible-token";
import styles from "./first.module.css";

/** Arcs from a token to the tokens that it attends to. Hover over a token, or press the arrow keys. */
export function TokenArcs({
  look: { tokens },
  weights,
  place: { layer, head },
  query,
  choose,
}: {
  look: Look;
  place: HeadPlace;
  /** Weights of one head, `[T, T]`. */
  weights: Float32Array;
  query: number;
  choose: (query: number) => void;
}): ReactNode {
  const picture = useRef<HTMLDivElement>(null);
  const [narrow, setNarrow] = useState(false);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) =>
      setNarrow((entry?.contentRect.width ?? 999) < widthOf(tokens)),
    );
    if (picture.current) watch.observe(picture.current);
    return () => watch.disconnect();
  }, [tokens]);
  const svg = useMemo(
    () =>
      tokenArcs(
        { data: weights, shape: [tokens.length, tokens.length] },
        { labels: tokens, query, direction: narrow ? "down" : "across", minWeight: 0.02 },
      ),
    [weights, tokens, query, narrow],
  );
  const pointed = (target: EventTarget) => {
    const marks = [...(picture.current?.querySelectorAll("rect > title") ?? [])];
    const at = marks.findIndex((title) => title.parentElement === target);
    if (at >= 0) choose(at);
  };
  const walk = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    choose(Math.min(tokens.length - 1, Math.max(0, query + by)));
  };
  const strongest = tokens
    .map((token, s) => ({ token, weight: weights[query * tokens.length + s]! }))
    .sort((a, b) => b.weight - a.weight)
    .slice(0, 3);
  return (
    <div className={styles.arcs}>
      <p className={styles.says} aria-live="polite">
        In layer {layer}, head {head}, <b className="means-query">{visible(tokens[query]!)}</b> attends to{" "}
        {strongest.map(({ token, weight }, i) => (
          <span key={i}>
            {i > 0 && ", "}
            <b className="means-key">{visible(token)}</b> {percent(weight)}
          </span>
        ))}
      </p>
      <div
        ref={picture}
        className={styles.arcsPicture}
        data-direction={narrow ? "down" : "across"}
        tabIndex={0}
        role="group"
        aria-label="Attention weights of one token. Arrow keys choose the token."
        onPointerOver={(event) => pointed(event.target)}
        onClick={(event) => pointed(event.target)}
        onKeyDown={walk}
        dangerouslySetInnerHTML={{ __html: svg }}
      />
      <p className={styles.small}>Point at any word to see where it looks.</p>
    </div>
  );
}

/** Estimated width of the tokens in a row: the same estimate as in the picture. */
const widthOf = (tokens: readonly string[]) =>
  tokens.reduce((sum, token) => sum + 16 + 6.6 * Math.max(1, token.trim().length), 24);

const percent = (part: number) => `${(100 * part).toFixed(0)}%`;
