import { bars, vectors } from "@qkv/viz";
import type { ReactNode } from "react";
import type { HeadDetail, Look } from "./look";
import { visible } from "./first-screen";
import styles from "./first.module.css";

/** One query of one head: its row, the keys, scores, weights, values and what it writes, in a line. */
export function HeadDrawer({
  look,
  chosen: { layer, head },
  query,
  detail,
  ask,
  close,
}: {
  look: Look;
  chosen: { layer: number; head: number };
  query: number;
  detail: HeadDetail | undefined;
  ask: (query: number) => void;
  close: () => void;
}): ReactNode {
  const { tokens } = look;
  return (
    <div className={styles.drawer} data-drawer={detail ? "ready" : "waiting"}>
      <div className={styles.drawerHead}>
        <h2>
          Layer {layer}, head {head}
        </h2>
        <label>
          the query of{" "}
          <select value={query} onChange={(event) => ask(Number(event.target.value))}>
            {tokens.map((token, i) => (
              <option key={i} value={i}>
                {i + 1}. {visible(token)}
              </option>
            ))}
          </select>
        </label>
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
      {detail && <Steps detail={detail} tokens={tokens} />}
    </div>
  );
}

/** Two digits behind the point are what a bar can show. */
const short = (value: number) => Number(value.toFixed(2));

function Steps({ detail, tokens }: { detail: HeadDetail; tokens: readonly string[] }): ReactNode {
  const count = detail.keys.length;
  const labels = tokens.slice(0, count).map(visible);
  const D = detail.query.length;
  const row = (data: number[], meaning: "query" | "value" | "cost") =>
    vectors({ data, shape: [data.length] }, { meaning, width: 140, rowHeight: 60 });
  const rows = (all: number[][], meaning: "key" | "value") =>
    vectors({ data: all.flat(), shape: [count, D] }, { meaning, labels, width: 105, rowHeight: 24 });
  const steps = [
    {
      name: <span className="means-query">Query</span>,
      formula: "q = x · W_Q, turned by its position",
      svg: row(detail.query, "query"),
    },
    {
      name: <span className="means-key">Keys</span>,
      formula: "K = X · W_K, turned by theirs",
      svg: rows(detail.keys, "key"),
    },
    {
      name: "Scores",
      formula: `s = q · K / √${D}`,
      svg: bars({ data: detail.scores.map(short), shape: [count] }, { labels, meaning: "cost", length: 52 }),
    },
    {
      name: "Weights",
      formula: "w = softmax(s): positive, 1 in sum",
      svg: bars(
        { data: detail.weights.map(short), shape: [count] },
        { labels, meaning: "weight", max: 1, length: 66 },
      ),
    },
    {
      name: <span className="means-value">Values</span>,
      formula: "V = X · W_V, mixed: o = w · V",
      svg: rows(detail.values, "value"),
    },
    {
      name: "Writes",
      formula: `o · W_O, added to the ${detail.writes.length} numbers of the token`,
      svg: row(detail.writes, "cost"),
    },
  ];
  return (
    <>
      <ol className={styles.steps}>
        {steps.map(({ name, formula, svg }, i) => (
          <li key={i}>
            <h3>{name}</h3>
            <p className={styles.formula}>{formula}</p>
            <div className={styles.picture} dangerouslySetInnerHTML={{ __html: svg }} />
          </li>
        ))}
      </ol>
      <p className={styles.small}>
        What it writes makes these tokens likelier, all else left out:{" "}
        {detail.favours.map((token, i) => (
          <span key={i}>
            {i > 0 && ", "}
            <b>{visible(token)}</b>
          </span>
        ))}
        .
      </p>
    </>
  );
}
