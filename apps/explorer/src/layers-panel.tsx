import type { LayerPrediction, LogitPartsAnswer } from "@qkv/lens/session";
import { useCallback, useMemo, useState, type ReactNode } from "react";
import { useIsNarrow } from "./narrow";
import { Picture, type PictureArgs } from "./picture";
import { switchedOver, switchedText, type Place } from "./place";
import { Section } from "./section";
import { Bar, SignedBar } from "./bar";
import { SourceName, type ChosenHead } from "./source-name";
import { percent, signed, visible } from "./text-of";
import type { Answered } from "./use-answer";
import styles from "./explorer.module.css";

/** Positions whose predictions are read after every layer: the last ones. */
export const lensPositions = (length: number): number[] =>
  Array.from({ length: Math.min(6, length) }, (_, i) => Math.max(0, length - 6) + i);

/** The logit lens: predictions after each layer at the last positions. */
export function LensPanel({
  lens,
  tokens,
}: {
  lens: Answered<LayerPrediction[]>;
  tokens: readonly string[];
}): ReactNode {
  const [cell, setCell] = useState<{ row: number; column: number }>();
  const isNarrow = useIsNarrow();
  const answer = useMemo(
    () => (isNarrow && lens.answer ? atLastPositions(lens.answer, 4) : lens.answer),
    [lens.answer, isNarrow],
  );
  const args = useMemo(() => answer && lensPicture(answer, tokens), [answer, tokens]);
  const choose = useCallback((chosen: { row: number; column: number }) => setCell(chosen), []);
  const positions = positionsIn(answer ?? []);
  const chosen = cell && answer?.[cell.row * positions.length + cell.column];
  return (
    <Section title="Logit lens: the prediction after every layer" of={lens}>
      <p className={styles.quiet}>
        Each cell is the token that the model would predict if it ended at that layer: the final norm and the
        output embedding, applied to the residual stream. Ink is its probability.
        {positions.length < tokens.length &&
          ` Columns are the last ${positions.length} of ${tokens.length} tokens.`}
      </p>
      <div className={styles.pictured}>
        <div className={styles.wide}>
          {args && <Picture name="qkv-logit-lens" args={args} event="cellselect" onChoose={choose} />}
        </div>
        {chosen ? <Distribution of={chosen} tokens={tokens} /> : <p className={styles.quiet}>{pressACell}</p>}
      </div>
    </Section>
  );
}

const pressACell = "Press a cell for its most probable tokens.";

/** The most probable tokens of one cell of the lens. */
function Distribution({
  of: { layer, position, top },
  tokens,
}: {
  of: LayerPrediction;
  tokens: readonly string[];
}): ReactNode {
  const most = Math.max(...top.map(({ probability }) => probability), 1e-9);
  return (
    <table className={styles.bars} data-distribution={`${layer},${position}`}>
      <caption>
        Predicted {afterText(layer)}, at{" "}
        <span className="means-query">{visible(tokens[position] ?? "")}</span>
      </caption>
      <thead>
        <tr>
          <th scope="col">next token</th>
          <th scope="col">probability</th>
        </tr>
      </thead>
      <tbody>
        {top.map(({ id, text, probability }) => (
          <tr key={id}>
            <th scope="row">{visible(text)}</th>
            <td>
              <Bar part={probability / most} />
              {percent(probability)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const afterText = (layer: number): string => (layer < 0 ? "after the embedding" : `after layer ${layer}`);

/** Predictions at the last positions of those that were asked for. */
function atLastPositions(answer: readonly LayerPrediction[], count: number): readonly LayerPrediction[] {
  const first = positionsIn(answer).at(-count) ?? 0;
  return answer.filter(({ position }) => position >= first);
}

const positionsIn = (answer: readonly LayerPrediction[]): number[] =>
  answer.filter(({ layer }) => layer < 0).map(({ position }) => position);

function lensPicture(
  answer: readonly LayerPrediction[],
  tokens: readonly string[],
): PictureArgs<"qkv-logit-lens"> {
  const positions = positionsIn(answer);
  const [T, K] = [positions.length, Math.min(...answer.map(({ top }) => top.length))];
  const rows = Array.from({ length: answer.length / T }, (_, row) => answer.slice(row * T, (row + 1) * T));
  const probabilities = answer.flatMap(({ top }) => top.slice(0, K).map(({ probability }) => probability));
  return [
    {
      names: rows.map(([one]) => (one!.layer < 0 ? "embedding" : `layer ${one!.layer}`)),
      tokens: positions.map((position) => tokens[position] ?? ""),
      topTokens: rows.map((row) => row.map(({ top }) => top.slice(0, K).map(({ text }) => text))),
      probabilities: { data: probabilities, shape: [rows.length, T, K] },
    },
    { firstPosition: positions[0] ?? 0 },
  ];
}

/** Switches of what attention and the feed-forward layer of each layer add. */
export function LayerSwitches({
  numLayers,
  place,
  change,
  children,
}: {
  numLayers: number;
  place: Place;
  change: (change: Partial<Place>) => void;
  /** The result of what is switched off. */
  children: ReactNode;
}): ReactNode {
  return (
    <Section title="Ablation: switch off parts of layers" isOfRun={false}>
      <p className={styles.quiet}>
        A part without a check mark adds nothing to the residual stream (zero ablation), and everything on
        this page is computed again. A single head has its switch in the section of that head.
      </p>
      {children}
      <div className={styles.wide} tabIndex={0} role="group" aria-label="Switches of the layers">
        <table className={styles.switches}>
          <thead>
            <tr>
              <td />
              {Array.from({ length: numLayers }, (_, layer) => (
                <th key={layer} scope="col">
                  layer {layer}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {(["a", "f"] as const).map((part) => (
              <tr key={part}>
                <th scope="row">{part === "a" ? "attention" : "feed-forward layer"}</th>
                {Array.from({ length: numLayers }, (_, layer) => (
                  <td key={layer}>
                    <input
                      type="checkbox"
                      aria-label={switchedText(`${layer}.${part}`)}
                      checked={!place.off.includes(`${layer}.${part}`)}
                      onChange={() => change({ off: switchedOver(place.off, `${layer}.${part}`) })}
                    />
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

/** The parts of the logit of the likeliest next token, minus that of the runner-up. */
export function PartsPanel({
  parts,
  open,
}: {
  parts: Answered<LogitPartsAnswer>;
  open: (head: ChosenHead) => void;
}): ReactNode {
  const { answer } = parts;
  const shown = answer?.parts.slice(0, 10) ?? [];
  const most = Math.max(...shown.map(({ value }) => Math.abs(value)), 1e-9);
  const rest = answer?.parts.slice(10).reduce((sum, { value }) => sum + value, 0) ?? 0;
  return (
    <Section title="Direct logit attribution: the parts of the logit" of={parts}>
      {answer && (
        <>
          <p className={styles.quiet}>
            The logit of <b>{visible(answer.token.text)}</b>
            {answer.minus && ` minus that of the runner-up, ${visible(answer.minus.text)}`},{" "}
            {signed(answer.logit)}, is the sum of what heads and feed-forward layers add to the residual
            stream: the {shown.length} largest parts are listed, all others add {signed(rest)}. The scale of
            the final normalization is held at its value in this run. Press a head to see it.
          </p>
          <table className={styles.bars}>
            <thead>
              <tr>
                <th scope="col">part</th>
                <th scope="col">direct contribution</th>
              </tr>
            </thead>
            <tbody>
              {shown.map(({ name, value }) => (
                <tr key={name}>
                  <td>
                    <SourceName name={name} open={open} />
                  </td>
                  <td>
                    <SignedBar value={value} most={most} />
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
