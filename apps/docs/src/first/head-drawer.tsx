import type { AttentionCallModel, AttentionCallOptions } from "@qkv/figures";
import { useCallback, type ReactNode } from "react";
import { Figure } from "../figures/figure";
import type { HeadDetail, HeadPlace, Look } from "./look";
import { visible } from "./visible-token";
import styles from "./first.module.css";

/** A head on the reader's sentence, from a token's input to its output: the figure *One attention call*. */
export function HeadDrawer({
  look,
  chosen: { layer, head },
  query,
  detail,
  call,
  close,
}: {
  look: Look;
  chosen: HeadPlace;
  query: number;
  detail: HeadDetail | undefined;
  /** Computes the data of a head. */
  call: (options: AttentionCallOptions) => Promise<AttentionCallModel>;
  close: () => void;
}): ReactNode {
  const ask = useCallback((choices: object) => call(choices), [call]);
  // The figure draws the last tokens of a long text.
  const token = Math.max(0, query - Math.max(0, look.tokens.length - drawnTokens));
  return (
    <div className={styles.drawer} data-drawer={detail ? "ready" : "waiting"}>
      <div className={styles.drawerHead}>
        <h2>
          Layer {layer}, head {head}
        </h2>
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
      <Figure
        name="attention-call"
        ask={ask}
        state={new URLSearchParams({
          head: String(layer * look.heads + head),
          token: String(token),
        }).toString()}
      />
      {detail && detail.favours.length > 0 && (
        <p className={styles.small}>
          On its own, the output of this head makes these next tokens likelier:{" "}
          {detail.favours.map((token, i) => (
            <span key={i}>
              {i > 0 && ", "}
              <b>{visible(token)}</b>
            </span>
          ))}
          .
        </p>
      )}
    </div>
  );
}

/** Number of tokens that the figure draws: the default of `attentionCallModel`. */
const drawnTokens = 24;
