import type { LensSessionRun, PatchAnswer, Prediction } from "@qkv/lens/session";
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import type { LensClient } from "./client";
import { Picture, type PictureArgs } from "./picture";
import { ablationTargets, type Place, type Switched } from "./place";
import type { QuestionOf } from "./protocol";
import { Section } from "./section";
import { decimals, signed, sourceText, visible } from "./text-of";
import { useAnswer } from "./use-answer";
import styles from "./explorer.module.css";

/** A cell of the map of patches. */
type PatchCell = { readonly row: number; readonly column: number };

/** Two texts compared: the effect of each patch of the second in the first, estimated, and exactly where it is asked for. */
export function ComparePanel({
  client,
  run,
  off,
  place,
  labels,
  isFast,
  change,
  onMeasure,
}: {
  client: LensClient | undefined;
  run: LensSessionRun;
  /** Parts that are switched off in the run. */
  off: readonly Switched[];
  place: Place;
  /** Tokens as they are shown. */
  labels: readonly string[];
  /** True: the map follows the texts, without a press. */
  isFast: boolean;
  change: (change: Partial<Place>) => void;
  /** Called with the tokens that patches are measured by. */
  onMeasure: (measure: Place["measure"]) => void;
}): ReactNode {
  const [draft, setDraft] = useState(place.source);
  useEffect(() => setDraft(place.source), [place.source]);
  const [asked, setAsked] = useState<string>();
  const [cell, setCell] = useState<PatchCell>();
  const [exact, setExact] = useState<readonly PatchCell[]>([]);
  const [sourceNext, setSourceNext] = useState<readonly Prediction[]>([]);
  const [own, source] = [
    useAnswer(client, "tokens", { text: place.text }),
    useAnswer(client, "tokens", place.source === "" ? undefined : { text: place.source }),
  ];
  const lengths = [own.answer?.length, source.answer?.length];
  const isCopy = place.source === place.text;
  const fits = lengths[0] !== undefined && lengths[0] === lengths[1] && !isCopy;
  const pairOf = ({ text, source, by, measure }: Place) => JSON.stringify([text, source, by, measure, off]);
  const pair = pairOf(place);
  const question =
    fits && (isFast || asked === pair)
      ? {
          ...{ text: place.text, source: place.source, by: place.by },
          ...(off.length > 0 && { without: ablationTargets(off) }),
          ...(place.measure && { token: place.measure[0], minus: place.measure[1] }),
        }
      : undefined;
  const map = useAnswer(client, "attributionPatching", question);
  // While another is computed, the map of before stays; that of another text does not.
  const answer = question && map.question?.text === place.text ? map.answer : undefined;
  useEffect(() => {
    if (answer) setSourceNext(answer.sourceNext);
    onMeasure(answer?.minus && [answer.token.id, answer.minus.id]);
  }, [answer, onMeasure]);
  useEffect(() => {
    setCell(undefined);
    setExact([]);
  }, [pair]);
  const args = useMemo(() => answer && pictureOf(answer, labels, place.by), [answer, labels, place.by]);
  const picture = useRef<HTMLDivElement>(null);
  const choose = useCallback((chosen: PatchCell) => {
    setCell(chosen);
    setExact((before) => (before.some((one) => isSame(one, chosen)) ? before : [...before, chosen]));
  }, []);
  /** Presses a cell of the map, which gets a frame and calls `choose`: the map is not drawn anew. */
  const press = ({ row, column }: PatchCell) =>
    picture.current
      ?.querySelector(`[data-qkv-cell="${row},${column}"]`)
      ?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  const compare = (more: Partial<Place>) => {
    change(more);
    setAsked(pairOf({ ...place, ...more }));
    // The same pair once more, after it was cancelled.
    if (map.failure !== undefined) map.again();
  };
  const largest = answer && !map.isOpen ? largestPatches(answer, place.by) : [];
  const rows = cell && answer && !largest.some((one) => isSame(one, cell)) ? [...largest, cell] : largest;
  const tokens = [...new Map([...run.next, ...sourceNext].map((one) => [one.id, one])).values()];
  const measure = place.measure ?? (answer?.minus && ([answer.token.id, answer.minus.id] as const));
  return (
    <Section title="Activation patching: compare with another text" of={map}>
      <p className={styles.quiet}>
        A patch copies one part of the pass on another text into the pass on this one. It shows which parts
        carry the difference between both texts. The other text begins as a copy: change a word of it, to one
        of as many tokens.
      </p>
      <form
        className={styles.row}
        onSubmit={(event) => {
          event.preventDefault();
          compare({ source: draft });
        }}
      >
        <label className={`${styles.field} ${styles.grows}`}>
          <span>Other text, of as many tokens</span>
          <input
            value={draft}
            onChange={({ target }) => {
              setDraft(target.value);
              if (isFast) change({ source: target.value });
            }}
          />
        </label>
        <label className={styles.field}>
          <span>Patch</span>
          <select
            value={place.by}
            onChange={({ target }) => change({ by: target.value as "position" | "head" })}
          >
            <option value="position">the residual stream, at each position</option>
            <option value="head">the output of each head</option>
          </select>
        </label>
        <button type="submit">Compare</button>
      </form>
      {isCopy && (
        <p className={styles.warning} data-copy="">
          Both texts are the same. Change a word of the other one.
        </p>
      )}
      {!fits && !isCopy && lengths[0] !== undefined && lengths[1] !== undefined && (
        <p className={styles.warning} role="status" data-lengths="">
          This text has {lengths[0]} tokens and the other {lengths[1]}: a patch needs the same number. Replace
          words by words of as many tokens.
        </p>
      )}
      {answer && measure && (
        <>
          <div className={styles.row} data-measure="">
            {(["Logit of", "minus logit of"] as const).map((name, i) => (
              <label key={name} className={styles.field}>
                <span>{name}</span>
                <select
                  value={measure[i]}
                  onChange={({ target }) => {
                    const id = Number(target.value);
                    compare({ measure: i === 0 ? [id, measure[1]] : [measure[0], id] });
                  }}
                >
                  {tokens.map(({ id, text }) => (
                    <option key={id} value={id} disabled={id === measure[1 - i]}>
                      {visible(text)}
                    </option>
                  ))}
                </select>
              </label>
            ))}
          </div>
          <p>
            This logit difference is {decimals(answer.unpatched)} after this text and{" "}
            {decimals(answer.source)} after the other. A cell is the fraction of the logit difference that its
            patch restores: 0 as in this text, 1 as in the other. The map is an estimate from one gradient
            (attribution patching).
          </p>
          {isTiny(answer) && (
            <p className={styles.warning} data-tiny="">
              Both texts have nearly the same logit difference, so a fraction of it tells little: changes are
              in logits below. Choose other tokens, or an other text with another answer.
            </p>
          )}
        </>
      )}
      <div className={styles.pictured}>
        <div className={styles.wide} ref={picture}>
          {args && <Picture name="qkv-patching" args={args} event="cellselect" onChoose={choose} />}
        </div>
        {answer && question && !map.isOpen && (
          <div>
            <table className={styles.bars} data-patches="">
              <caption>
                The largest, by magnitude: {isTiny(answer) ? "change in logits" : "fraction restored"}
              </caption>
              <thead>
                <tr>
                  <th scope="col">patch</th>
                  <th scope="col">estimate</th>
                  <th scope="col">exact</th>
                </tr>
              </thead>
              <tbody>
                {rows.map((one) => {
                  const name = answer.names[one.row]!;
                  const isAsked = exact.some((other) => isSame(one, other));
                  return (
                    <PatchRow
                      key={`${one.row} ${one.column}`}
                      text={patchText(name, place.by, one.column, labels)}
                      {...{ client, answer }}
                      estimate={answer.values[one.row * answer.columns + one.column]!}
                      isChosen={cell !== undefined && isSame(one, cell)}
                      question={
                        isAsked
                          ? {
                              ...{ ...question, token: answer.token.id, minus: answer.minus!.id },
                              place: { name, [place.by]: one.column },
                            }
                          : undefined
                      }
                      press={() => press(one)}
                    />
                  );
                })}
              </tbody>
            </table>
            {!rows.every((one) => exact.some((other) => isSame(one, other))) && (
              <p>
                <button type="button" onClick={() => setExact((before) => [...before, ...largest])}>
                  Compute these exactly
                </button>
              </p>
            )}
            <p className={styles.quiet}>
              Each takes a pass from its layer on. Press a cell of the map to add it.
              {place.by === "position" &&
                " Left out of the list: the last position after the last layer, which is the answer itself."}
            </p>
          </div>
        )}
      </div>
    </Section>
  );
}

const isSame = (one: PatchCell, other: PatchCell) => one.row === other.row && one.column === other.column;

/** A patch with its estimate, and the exact effect once it is asked for. */
function PatchRow({
  client,
  text,
  answer,
  estimate,
  question,
  isChosen,
  press,
}: {
  client: LensClient | undefined;
  text: string;
  answer: PatchAnswer;
  estimate: number;
  /** Undefined: not asked. */
  question: QuestionOf<"patch"> | undefined;
  isChosen: boolean;
  press: () => void;
}): ReactNode {
  const exact = useAnswer(client, "patch", question);
  const isReady = exact.answer !== undefined && !exact.isOpen;
  return (
    <tr aria-current={isChosen || undefined}>
      <th scope="row">
        <button type="button" className={styles.source} onClick={press}>
          {text}
        </button>
      </th>
      <td>≈ {effectText(answer, estimate)}</td>
      <td aria-live="polite" data-exact={question && (isReady ? "ready" : "open")}>
        {question === undefined ? (
          <button type="button" aria-label={`Compute exactly: ${text}`} onClick={press}>
            compute
          </button>
        ) : isReady ? (
          <b>{effectText(answer, exact.answer!)}</b>
        ) : (
          (exact.failure ?? "…")
        )}
      </td>
    </tr>
  );
}

/** The patches that move the metric most, by estimate. */
export function largestPatches(
  { names, values, columns, unpatched }: Pick<PatchAnswer, "names" | "values" | "columns" | "unpatched">,
  by: Place["by"],
): readonly PatchCell[] {
  // After the last layer, the last position is the answer itself.
  const count = by === "position" ? names.length * columns - 1 : names.length * columns;
  const size = ({ row, column }: PatchCell) => Math.abs(values[row * columns + column]! - unpatched);
  return Array.from({ length: count }, (_, i) => ({ row: Math.floor(i / columns), column: i % columns }))
    .filter((one) => Number.isFinite(size(one)))
    .sort((a, b) => size(b) - size(a))
    .slice(0, 5);
}

type Difference = Pick<PatchAnswer, "unpatched" | "source">;

/** True where a fraction of the difference would be one of nearly nothing. Unit: logits. */
const isTiny = ({ unpatched, source }: Difference): boolean => Math.abs(source - unpatched) < 0.1;

/** The fraction of the logit difference that a patch restores; of a tiny difference the change in logits. */
export function effectText(difference: Difference, value: number): string {
  const change = value - difference.unpatched;
  return signed(isTiny(difference) ? change : change / (difference.source - difference.unpatched));
}

/** A patched part in words. */
function patchText(name: string, by: Place["by"], column: number, labels: readonly string[]): string {
  const layer = /^layers\.(\d+)\./.exec(name)?.[1];
  if (layer === undefined) return `${sourceText(name)}, ${by} ${column}`;
  if (by === "head") return `layer ${layer}, head ${column}`;
  return `after layer ${layer}, at ${visible(labels[column] ?? "")}`;
}

function pictureOf(
  { names, values, columns, unpatched, source }: PatchAnswer,
  labels: readonly string[],
  by: Place["by"],
): PictureArgs<"qkv-patching"> {
  const layerNames = names.map((name) =>
    sourceText(name).replace(/^(layer \d+),.*$/, by === "head" ? "$1" : "after $1"),
  );
  return [
    {
      names: layerNames,
      values: { data: values, shape: [names.length, columns] },
      ...(isTiny({ unpatched, source }) ? { unpatched } : { unpatched, source }),
    },
    by === "head" ? { columnName: by } : { columnLabels: labels },
  ];
}
