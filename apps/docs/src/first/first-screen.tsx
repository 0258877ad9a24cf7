import useBaseUrl from "@docusaurus/useBaseUrl";
import manifest from "@site/.cache/manifest.json";
import prerendered from "@site/.cache/first-look.json";
import { tokenArcs, weightShades } from "@qkv/viz";
import type { AttentionCallModel, AttentionCallOptions } from "@qkv/figures";
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { Answers } from "./answers";
import { HeadDrawer } from "./head-drawer";
import { HeadsSwitch } from "./heads-switch";
import type { HeadDetail, Look } from "./look";
import { sentence } from "./sentence";
import styles from "./first.module.css";

const before: Look = {
  ...prerendered,
  weights: Float32Array.from(atob(prerendered.weights), (letter) => letter.charCodeAt(0) / 255),
};

type Chosen = { layer: number; head: number };

/** The reader's sentence, every head of our model over it, and one head taken apart. */
export function FirstScreen(): ReactNode {
  const base = useBaseUrl("/");
  const answers = useRef<Answers>(undefined);
  const [text, setText] = useState(sentence);
  const [kvHeads, setKvHeads] = useState<number>();
  const [look, setLook] = useState(before);
  const [live, setLive] = useState<{ timeMs: number; drift: number }>();
  const [failure, setFailure] = useState<string>();
  const [chosen, setChosen] = useState<Chosen>({ layer: Math.min(1, before.layers - 1), head: 0 });
  const [query, setQuery] = useState<number>();
  const [detail, setDetail] = useState<HeadDetail>();
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLTextAreaElement>(null);

  useEffect(() => {
    const root = new URL(base, location.href);
    const asker = new Answers(new Worker(new URL(manifest.first, root), { type: "module" }));
    answers.current = asker;
    // A keyboard that slides in would cover the picture.
    if (matchMedia("(hover: hover)").matches) box.current?.focus({ preventScroll: true });
    return () => asker.end();
  }, [base]);

  const T = look.tokens.length;
  const asks = Math.min(query ?? T - 1, T - 1);

  useEffect(() => {
    void answers.current
      ?.ask<{ look: Look; timeMs: number; drift: number }>({ type: "look", text, kvHeads })
      .then((answer) => {
        if (!answer) return;
        setLook(answer.look);
        setLive({ timeMs: answer.timeMs, drift: answer.drift });
        setFailure(undefined);
      })
      .catch((error: Error) => setFailure(error.message));
  }, [text, kvHeads]);

  useEffect(() => {
    if (!open) return;
    void answers.current
      ?.ask<HeadDetail>({ type: "head", text, kvHeads, ...chosen, query: asks })
      .then((answer) => answer && setDetail(answer))
      .catch((error: Error) => setFailure(error.message));
  }, [open, text, kvHeads, chosen, asks]);

  const call = useCallback(
    async (options: AttentionCallOptions): Promise<AttentionCallModel> => {
      const made = await answers.current?.ask<AttentionCallModel>({
        type: "call",
        text,
        kvHeads,
        ...options,
      });
      // A later question took its place: the figure no longer waits for this one.
      return made ?? Promise.reject(new DOMException("asked again", "AbortError"));
    },
    [text, kvHeads],
  );
  const map = useMemo(() => headOf(look, chosen), [look, chosen]);
  const choose = (layer: number, head: number) => {
    setOpen(true);
    setChosen({ layer, head });
  };

  return (
    <section
      className={styles.first}
      aria-label="Your sentence, every head"
      data-live-look={live ? "yes" : "no"}
    >
      <div className={styles.ask}>
        <label className={styles.box}>
          <span>Your sentence</span>
          <textarea
            ref={box}
            rows={3}
            value={text}
            maxLength={400}
            spellCheck={false}
            onChange={(event) => {
              setText(event.target.value);
              setQuery(undefined);
            }}
          />
        </label>
        <p className={styles.next}>
          <span>Next, it expects</span>
          {look.next.map(({ text, probability }, i) => (
            <span key={i} className={styles.expected}>
              <b>{visible(text)}</b> {(100 * probability).toFixed(0)}%
            </span>
          ))}
        </p>
        <p className={styles.small} role="status">
          {failure
            ? `The model could not read this: ${failure}`
            : live
              ? `Read by ${look.layers * look.heads} heads in ${live.timeMs.toFixed(0)} ms, on this device, just now.`
              : "Made when this page was built; the model is on its way."}
        </p>
      </div>
      <div className={styles.see}>
        <Arcs look={look} weights={map} query={asks} ask={setQuery} chosen={chosen} />
        <HeadGrid look={look} chosen={chosen} choose={choose} open={open} />
      </div>
      {open && (
        <HeadDrawer
          look={look}
          chosen={chosen}
          query={asks}
          detail={detail}
          call={call}
          close={() => setOpen(false)}
        />
      )}
      <HeadsSwitch look={look} kvHeads={kvHeads} choose={setKvHeads} drift={live?.drift ?? 0} />
    </section>
  );
}

/** The weights of one head, `[T, T]`. */
function headOf({ weights, heads, tokens }: Look, { layer, head }: Chosen): Float32Array {
  const size = tokens.length ** 2;
  const at = (layer * heads + head) * size;
  return weights.subarray(at, at + size);
}

/** Arcs from one token to those that it looks at. Point at a token, or walk with the arrow keys. */
function Arcs({
  look,
  weights,
  query,
  ask,
  chosen,
}: {
  look: Look;
  weights: Float32Array;
  query: number;
  ask: (query: number) => void;
  chosen: Chosen;
}): ReactNode {
  const { tokens } = look;
  const place = useRef<HTMLDivElement>(null);
  const [narrow, setNarrow] = useState(false);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) =>
      setNarrow((entry?.contentRect.width ?? 999) < widthOf(tokens)),
    );
    if (place.current) watch.observe(place.current);
    return () => watch.disconnect();
  }, [tokens]);
  const svg = useMemo(
    () =>
      tokenArcs(
        { data: weights, shape: [tokens.length, tokens.length] },
        { labels: tokens, query, direction: narrow ? "down" : "across", least: 0.02 },
      ),
    [weights, tokens, query, narrow],
  );
  const pointed = (target: EventTarget) => {
    const marks = [...(place.current?.querySelectorAll("rect > title") ?? [])];
    const at = marks.findIndex((title) => title.parentElement === target);
    if (at >= 0) ask(at);
  };
  const walk = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    ask(Math.min(tokens.length - 1, Math.max(0, query + by)));
  };
  const most = strongest(weights, tokens, query);
  return (
    <div className={styles.arcs}>
      <div
        ref={place}
        className={styles.arcsPicture}
        data-direction={narrow ? "down" : "across"}
        tabIndex={0}
        role="group"
        aria-label="Who looks at whom. Arrow keys choose the token that asks."
        onPointerOver={(event) => pointed(event.target)}
        onClick={(event) => pointed(event.target)}
        onKeyDown={walk}
        dangerouslySetInnerHTML={{ __html: svg }}
      />
      <p className={styles.small} aria-live="polite">
        <span className="means-query">{visible(tokens[query]!)}</span> looks at{" "}
        {most.map(({ token, weight }, i) => (
          <span key={i}>
            {i > 0 && ", "}
            <span className="means-key">{visible(token)}</span> {weight.toFixed(2)}
          </span>
        ))}{" "}
        in layer {chosen.layer}, head {chosen.head}. Point at another token.
      </p>
    </div>
  );
}

/** As wide as the tokens side by side: the same guess as the picture's. */
const widthOf = (tokens: readonly string[]) =>
  tokens.reduce((sum, token) => sum + 16 + 6.6 * Math.max(1, token.trim().length), 24);

function strongest(weights: Float32Array, tokens: readonly string[], query: number) {
  return tokens
    .map((token, s) => ({ token, weight: weights[query * tokens.length + s]! }))
    .sort((a, b) => b.weight - a.weight)
    .slice(0, 3);
}

/** All heads as small maps: rows are layers, columns heads. */
function HeadGrid({
  look,
  chosen,
  choose,
  open,
}: {
  look: Look;
  chosen: Chosen;
  choose: (layer: number, head: number) => void;
  open: boolean;
}): ReactNode {
  const { tokens, layers, heads, kvHeads } = look;
  const T = tokens.length;
  const group = heads / kvHeads;
  const cells = Array.from({ length: layers * heads }, (_, i) => {
    const [layer, head] = [Math.floor(i / heads), i % heads];
    const isChosen = layer === chosen.layer && head === chosen.head;
    const shades = weightShades({ data: headOf(look, { layer, head }), shape: [T, T] }, { size: 60 });
    return (
      <button
        key={i}
        type="button"
        className={styles.head}
        data-shares={head % group < group - 1 || undefined}
        aria-pressed={isChosen}
        aria-expanded={isChosen && open}
        aria-label={`layer ${layer}, head ${head}: take it apart`}
        onClick={() => choose(layer, head)}
      >
        <svg viewBox="0 0 60 60" aria-hidden="true">
          {shades.map(({ opacity, path }) => (
            <path key={opacity} d={path} fillOpacity={opacity} />
          ))}
        </svg>
      </button>
    );
  });
  return (
    <div className={styles.gridBox}>
      <div className={styles.grid} style={{ gridTemplateColumns: `repeat(${heads}, minmax(0, 1fr))` }}>
        {cells}
      </div>
      <p className={styles.small}>
        All {layers * heads} heads: a row is a layer. In each map a row is a{" "}
        <span className="means-query">query</span>, a column a <span className="means-key">key</span>, ink is
        weight. {group > 1 && `${group} neighbours share keys and values. `}Choose one to take it apart.
      </p>
    </div>
  );
}

/** A token as a reader can see it: a space in front belongs to it and is not drawn. */
export function visible(token: string): string {
  const inner = token.replaceAll("\n", "⏎").replaceAll("\t", "⇥");
  // eslint-disable-next-line no-control-regex -- a byte that is no letter has no picture either
  const drawn = inner.replace(/[\u0000-\u001f\u007f-\u009f]/g, "�");
  return drawn.trim() === "" ? drawn.replaceAll(" ", "␣") : drawn.trim();
}
