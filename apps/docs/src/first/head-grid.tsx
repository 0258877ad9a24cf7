import { weightShades } from "@qkv/viz";
import type { ReactNode } from "react";
import { weightsOf, type HeadPlace, type Look } from "./look";
import styles from "./first.module.css";

/** Thumbnails of the attention maps of all heads: rows are layers, columns heads. */
export function HeadGrid({
  look,
  chosen,
  choose,
  open,
}: {
  look: Look;
  chosen: HeadPlace;
  choose: (place: HeadPlace) => void;
  open: boolean;
}): ReactNode {
  const { tokens, layers, heads, kvHeads } = look;
  const T = tokens.length;
  const group = heads / kvHeads;
  return (
    <div className={styles.gridBox}>
      <p className={styles.says}>All {layers * heads} heads. Click one to open it.</p>
      <div className={styles.grid} style={{ gridTemplateColumns: `auto repeat(${heads}, minmax(0, 1fr))` }}>
        {Array.from({ length: layers }, (_, layer) => [
          <span key={`layer-${layer}`} className={styles.layer}>
            layer {layer}
          </span>,
          ...Array.from({ length: heads }, (_, head) => {
            const isChosen = layer === chosen.layer && head === chosen.head;
            const shades = weightShades(
              { data: weightsOf(look, { layer, head }), shape: [T, T] },
              { size: 60 },
            );
            return (
              <button
                key={`${layer}-${head}`}
                type="button"
                className={styles.head}
                data-shares={head % group < group - 1 || undefined}
                aria-pressed={isChosen}
                aria-expanded={isChosen && open}
                aria-label={`layer ${layer}, head ${head}: open`}
                onClick={() => choose({ layer, head })}
              >
                <svg viewBox="0 0 60 60" aria-hidden="true">
                  {shades.map(({ opacity, path }) => (
                    <path key={opacity} d={path} fillOpacity={opacity} />
                  ))}
                </svg>
              </button>
            );
          }),
        ])}
      </div>
      <p className={styles.small}>
        Each map: one row per <span className="means-query">query</span>, one column per{" "}
        <span className="means-key">key</span>, a stronger color is more weight.{" "}
        {group > 1 && `Heads that stand close share keys and values.`}
      </p>
    </div>
  );
}
