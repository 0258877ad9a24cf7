import type { LensSession } from "@qkv/lens/session";
import { useMemo, useState, type ReactNode } from "react";
import type { LensClient } from "./client";
import { Picture, type PictureArgs } from "./picture";
import { sourceText } from "./text-of";
import { useAnswer } from "./use-answer";
import styles from "./explorer.module.css";

/** The sources of a score, and what the heads among them read, as a graph; computed once it is opened. */
export function ScoreGraph({
  client,
  tokens,
  score,
}: {
  client: LensClient | undefined;
  tokens: readonly string[];
  /** Text, layer, head, query and key. */
  score: Parameters<LensSession["scoreGraph"]>[0];
}): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const graph = useAnswer(client, "scoreGraph", isOpen ? score : undefined);
  const { answer } = graph;
  const args = useMemo((): PictureArgs<"qkv-attribution-graph"> | undefined => {
    const fits = answer?.nodes.every(({ position = 0 }) => position < tokens.length);
    if (!answer || !fits) return undefined;
    return [
      { dot: answer.dot, nodes: answer.nodes.map((node) => ({ ...node, name: sourceText(node.name) })) },
      { tokens },
    ];
  }, [answer, tokens]);
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>Two layers back, as a graph</summary>
      <p className={styles.quiet}>
        Each side sums to the score. Press a head with a plus to see what it read, token by token: its
        attention weights are those of this run. A feed-forward layer with a plus shows what stood at its
        token; it is not linear, so its parts are those of its linearization at this run, in which each neuron
        keeps its gate, or the ratio of its activation to its input.{" "}
        {graph.isOpen && <span className={styles.open}>computing</span>}
      </p>
      {graph.failure !== undefined && (
        <p role="alert" className={styles.failure}>
          {graph.failure}{" "}
          <button type="button" onClick={graph.again}>
            Compute again
          </button>
        </p>
      )}
      <div className={styles.wide} aria-busy={graph.isOpen}>
        {args && <Picture name="qkv-attribution-graph" args={args} />}
      </div>
    </details>
  );
}
