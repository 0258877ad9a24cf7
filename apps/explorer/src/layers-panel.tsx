import type { LayerPrediction, LensSessionRun, PartsAnswer } from "@qkv/lens/session";
import type { ReactNode } from "react";
import { switchedOver, type Place } from "./place";
import { Section } from "./section";
import { percent, sourceText, visible } from "./text-of";
import type { Answered } from "./use-answer";
import styles from "./explorer.module.css";

/** Positions whose predictions are read behind every layer: the last ones. */
export const lensPositions = (length: number): number[] =>
  Array.from({ length: Math.min(6, length) }, (_, i) => Math.max(0, length - 6) + i);

/** The logit lens: predictions behind each layer, with switches of its parts. */
export function LayersPanel({
  run,
  lens,
  place,
  change,
}: {
  run: LensSessionRun;
  lens: Answered<LayerPrediction[]>;
  place: Place;
  change: (change: Partial<Place>) => void;
}): ReactNode {
  const positions = lensPositions(run.tokens.length);
  const at = new Map(lens.answer?.map((one) => [`${one.layer} ${one.position}`, one.top]));
  const layers = Array.from({ length: run.numLayers + 1 }, (_, i) => i - 1);
  return (
    <Section title="Predictions behind every layer" of={lens}>
      <div
        className={styles.wide}
        tabIndex={0}
        role="group"
        aria-label="Table of predictions behind every layer"
      >
        <table className={styles.lens}>
          <caption>
            The token that the output embedding reads from the residual stream behind each layer; ink is its
            probability. A switch leaves out what attention or the feed-forward layer adds.
          </caption>
          <thead>
            <tr>
              <th scope="col">layer</th>
              {positions.map((position) => (
                <th key={position} scope="col" className="means-query">
                  {visible(run.tokens[position] ?? "")}
                </th>
              ))}
              <th scope="col">attention</th>
              <th scope="col">feed-forward</th>
            </tr>
          </thead>
          <tbody>
            {layers.map((layer) => (
              <tr key={layer}>
                <th scope="row">{layer < 0 ? "embedding" : layer}</th>
                {positions.map((position) => {
                  const [first, ...others] = at.get(`${layer} ${position}`) ?? [];
                  const title = [first, ...others]
                    .map((one) => one && `${visible(one.text)} ${percent(one.probability)}`)
                    .join(", ");
                  return (
                    <td
                      key={position}
                      title={title}
                      style={{ "--part": `${45 * (first?.probability ?? 0)}%` } as object}
                    >
                      {first ? visible(first.text) : "…"}
                    </td>
                  );
                })}
                {(["a", "f"] as const).map((part) => (
                  <td key={part} className={styles.switch}>
                    {layer >= 0 && (
                      <input
                        type="checkbox"
                        aria-label={`${part === "a" ? "attention" : "feed-forward"} of layer ${layer}`}
                        checked={!place.off.includes(`${layer}.${part}`)}
                        onChange={() => change({ off: switchedOver(place.off, `${layer}.${part}`) })}
                      />
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

/** The parts of the logit of the likeliest next token. */
export function PartsPanel({ parts }: { parts: Answered<PartsAnswer> }): ReactNode {
  const { answer } = parts;
  const shown = answer?.parts.slice(0, 10) ?? [];
  const most = Math.max(...shown.map(({ value }) => Math.abs(value)), 1e-9);
  const rest = answer?.parts.slice(10).reduce((sum, { value }) => sum + value, 0) ?? 0;
  return (
    <Section title="Which parts decided" of={parts}>
      {answer && (
        <>
          <p className={styles.quiet}>
            The logit {answer.logit.toFixed(2)} of <b>{visible(answer.token.text)}</b>, as a sum: the ten
            largest parts, and {rest.toFixed(2)} of all others.
          </p>
          <table className={styles.bars}>
            <thead>
              <tr>
                <th scope="col">part</th>
                <th scope="col">added to the logit</th>
              </tr>
            </thead>
            <tbody>
              {shown.map(({ name, value }) => (
                <tr key={name}>
                  <td>{sourceText(name)}</td>
                  <td>
                    <span
                      className={`${styles.bar} ${value < 0 ? styles.negative : ""}`}
                      style={{ width: `${(6 * Math.abs(value)) / most}rem` }}
                    />
                    {value.toFixed(2)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </Section>
  );
}
