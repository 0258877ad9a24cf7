import type { LensSession, ScorePartsAnswer } from "@qkv/lens/session";
import { Fragment, useState, type ReactNode } from "react";
import { SignedBar } from "./bar";
import type { LensClient } from "./client";
import { headOf, SourceName, type ChosenHead } from "./source-name";
import { decimals, signed, sourceText, visible } from "./text-of";
import { useAnswer, type Answered } from "./use-answer";
import styles from "./explorer.module.css";

type Score = Parameters<LensSession["scoreGraph"]>[0];
type Graph = Awaited<ReturnType<LensSession["scoreGraph"]>>;
type Side = "query" | "key";

const isFeedForward = (name: string) => /^layers\.\d+\.feedForward$/.test(name);
const isEmbedding = ({ kind }: { readonly kind: string }) => kind === "embedding";
const sourceKinds = (name: string) => (headOf(name) ? "head" : isFeedForward(name) ? "feedForward" : "other");

/** The pairs of sources that a score is the sum of. A head opens; a feed-forward layer shows what it read. */
export function Reasons({
  of,
  client,
  tokens,
  score,
  trace,
}: {
  of: Answered<ScorePartsAnswer>;
  client: LensClient | undefined;
  tokens: readonly string[];
  /** Text, layer, head, query and key. */
  score: Score;
  trace: (head: ChosenHead, query: number) => void;
}): ReactNode {
  const { answer } = of;
  const { layer, head, query, key } = score;
  const [opened, setOpened] = useState<string>();
  const [shown, others] = [answer?.pairs.slice(0, 10) ?? [], answer?.pairs.slice(10) ?? []];
  const rest = others.reduce((sum, { value }) => sum + value, answer?.rest ?? 0);
  const most = Math.max(...(answer?.pairs.map(({ value }) => Math.abs(value)) ?? []), 1e-9);
  const kinds = new Set(shown.flatMap((pair) => [sourceKinds(pair.query.name), sourceKinds(pair.key.name)]));
  return (
    <div
      aria-busy={of.isOpen}
      data-reasons={answer && !of.isOpen ? "ready" : "open"}
      className={styles.reasons}
    >
      <h3>
        Why <span className="means-query">{visible(tokens[query]!)}</span> attends to{" "}
        <span className="means-key">{visible(tokens[key]!)}</span>{" "}
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
            The scale of each normalization is held at its value in this run. Only differences between keys
            matter: a part that is equal for all keys cancels in the softmax, however large it is.
            {kinds.has("head") && " Press a head to see why it attended, one layer back."}
            {kinds.has("feedForward") && " Press a feed-forward layer to see what it read."}
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
              {shown.map((pair) => {
                const names = { query: pair.query.name, key: pair.key.name };
                const about = (side: Side) =>
                  JSON.stringify([layer, head, query, key, names.query, names.key, side]);
                const open = (["query", "key"] as const).find((side) => about(side) === opened);
                const source = (side: Side, position: number) => (
                  <Source
                    name={names[side]}
                    isOpen={open === side}
                    trace={(head) => trace(head, position)}
                    toggle={() => setOpened(open === side ? undefined : about(side))}
                  />
                );
                return (
                  <Fragment key={`${names.query} ${names.key}`}>
                    <tr>
                      <td>{source("query", query)}</td>
                      <td>{source("key", key)}</td>
                      <td>
                        <SignedBar value={pair.value} most={most} />
                      </td>
                    </tr>
                    {open && (
                      <tr>
                        <td colSpan={3}>
                          <FeedForwardSources
                            {...{ client, tokens, most, trace }}
                            score={{ ...score, pair: names }}
                            side={open}
                          />
                        </td>
                      </tr>
                    )}
                  </Fragment>
                );
              })}
            </tbody>
          </table>
          {shown.some((pair) => isEmbedding(pair.query) && isEmbedding(pair.key)) && (
            <p className={styles.quiet} data-embeddings="">
              Embedding with embedding is the part of the two tokens alone, as they were before any layer:
              there is nothing further back to trace.
            </p>
          )}
        </>
      )}
    </div>
  );
}

/** A source in words: a head is a button that opens it, a feed-forward layer one that shows what it read. */
function Source({
  name,
  isOpen,
  trace,
  toggle,
}: {
  name: string;
  isOpen: boolean;
  trace: (head: ChosenHead) => void;
  toggle: () => void;
}): ReactNode {
  if (!isFeedForward(name)) return <SourceName name={name} open={trace} />;
  return (
    <button type="button" className={styles.source} aria-expanded={isOpen} onClick={toggle}>
      {sourceText(name)}
    </button>
  );
}

/** The sources of a feed-forward layer in a pair: those of its input, through frozen neurons. */
function FeedForwardSources({
  client,
  tokens,
  score,
  side,
  most,
  trace,
}: {
  client: LensClient | undefined;
  tokens: readonly string[];
  /** The score, and the pair of its sources. */
  score: Score & { readonly pair: Record<Side, string> };
  side: Side;
  most: number;
  trace: (head: ChosenHead, query: number) => void;
}): ReactNode {
  const graph = useAnswer(client, "scoreGraph", score);
  const { answer } = graph;
  const root = answer?.nodes.find((node) => node.parent === undefined && node.side === side);
  const name = sourceText(score.pair[side]);
  return (
    <div
      className={styles.read}
      aria-busy={graph.isOpen}
      data-read={root && !graph.isOpen ? "ready" : "open"}
    >
      <p className={styles.quiet}>
        {root && !graph.isOpen ? (
          <>
            What {name} read at <span className={`means-${side}`}>{visible(tokens[score[side]]!)}</span>, as
            parts of this {signed(root.value)}. A feed-forward layer is not linear: to split it, the factor by
            which each of its neurons scales its input is held at its value in this run. The parts sum to the
            whole; for another text they would be others.
          </>
        ) : (
          (graph.failure ?? "computing")
        )}
      </p>
      {answer && root && !graph.isOpen && <Sources {...{ answer, most, trace }} parent={root.id} />}
    </div>
  );
}

/** The sources of one node of a graph, the largest first. */
function Sources({
  answer,
  parent,
  most,
  trace,
}: {
  answer: Graph;
  parent: number;
  most: number;
  trace: (head: ChosenHead, query: number) => void;
}): ReactNode {
  const [opened, setOpened] = useState<number>();
  const nodes = answer.nodes.filter((node) => node.parent === parent);
  if (nodes.length === 0)
    return <p>This layer cannot be split: it is a mixture of experts, or has limits of gates.</p>;
  const isSplit = (id: number) => answer.nodes.some((node) => node.parent === id);
  return (
    <ul className={styles.sources}>
      {nodes.map(({ id, name, position, value }) => (
        <li key={id}>
          <SignedBar value={value} most={most} />{" "}
          {isFeedForward(name) && isSplit(id) ? (
            <Source
              name={name}
              isOpen={opened === id}
              trace={() => undefined}
              toggle={() => setOpened(opened === id ? undefined : id)}
            />
          ) : name === "others" ? (
            "all smaller parts"
          ) : (
            <SourceName name={name} open={(head) => trace(head, position!)} />
          )}
          {opened === id && <Sources {...{ answer, most, trace }} parent={id} />}
        </li>
      ))}
    </ul>
  );
}
