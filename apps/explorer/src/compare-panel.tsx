import type { LensSessionRun, PatchAnswer } from "@qkv/lens/session";
import { useCallback, useEffect, useMemo, useState, type ReactNode } from "react";
import type { LensClient } from "./client";
import { Picture, type PictureArgs } from "./picture";
import type { Place } from "./place";
import { Section } from "./section";
import { decimals, sourceText, visible } from "./text-of";
import { useAnswer } from "./use-answer";
import styles from "./explorer.module.css";

/** Two texts compared: the effect of each patch of the second in the first, estimated, and exactly where a cell is chosen. */
export function ComparePanel({
  client,
  run,
  place,
  isFast,
  change,
}: {
  client: LensClient | undefined;
  run: LensSessionRun;
  place: Place;
  /** True: the map follows the texts, without a press. */
  isFast: boolean;
  change: (change: Partial<Place>) => void;
}): ReactNode {
  const [draft, setDraft] = useState(place.source);
  useEffect(() => setDraft(place.source), [place.source]);
  const [asked, setAsked] = useState<string>();
  const [cell, setCell] = useState<{ row: number; column: number }>();
  const [own, source] = [
    useAnswer(client, "tokens", { text: place.text }),
    useAnswer(client, "tokens", place.source === "" ? undefined : { text: place.source }),
  ];
  const lengths = [own.answer?.length, source.answer?.length];
  const fits = lengths[0] !== undefined && lengths[0] === lengths[1];
  const [first, second] = run.next;
  const pair = `${place.text}\n${place.source}\n${place.by}`;
  const question =
    fits && first && second && (isFast || asked === pair)
      ? {
          ...{ text: place.text, source: place.source, by: place.by },
          ...{ token: first.id, minus: second.id },
        }
      : undefined;
  const map = useAnswer(client, "attributionPatching", question);
  const name = cell && map.answer?.names[cell.row];
  const exact = useAnswer(
    client,
    "patch",
    question && cell && name !== undefined
      ? { ...question, place: { name, [place.by]: cell.column } }
      : undefined,
  );
  const answer = question && map.answer;
  useEffect(() => setCell(undefined), [pair]);
  const args = useMemo(
    () => answer && pictureOf(answer, run.tokens, place.by, cell),
    [answer, run.tokens, place.by, cell],
  );
  const choose = useCallback((chosen: { row: number; column: number }) => setCell(chosen), []);
  const estimate = cell && answer ? answer.values[cell.row * answer.columns + cell.column] : undefined;
  const compare = () => {
    change({ source: draft });
    setAsked(`${place.text}\n${draft}\n${place.by}`);
    // The same pair once more, after it was cancelled.
    if (map.failure !== undefined) map.again();
  };
  return (
    <Section title="Activation patching: compare with another text" of={map}>
      <p className={styles.quiet}>
        Type a text of as many tokens with a small difference. A patch copies one part of the pass on the
        other text into the pass on this one, and shows how much of the difference that part carries.
      </p>
      <form
        className={styles.row}
        onSubmit={(event) => {
          event.preventDefault();
          compare();
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
      {!fits && lengths[0] !== undefined && lengths[1] !== undefined && (
        <p className={styles.quiet}>
          The text has {lengths[0]} tokens and the other {lengths[1]}: both need the same number. Replace
          words by words of as many tokens.
        </p>
      )}
      {answer && first && second && (
        <p>
          The logit of <b>{visible(first.text)}</b> minus that of <b>{visible(second.text)}</b> is{" "}
          {decimals(answer.unpatched)} in this text and {decimals(answer.source)} in the other. A cell is the
          share of that way that a patch moves it, estimated from one gradient (attribution patching).
        </p>
      )}
      <div className={styles.pictured}>
        <div className={styles.wide}>
          {args && <Picture name="qkv-patching" args={args} event="cellselect" onChoose={choose} />}
        </div>
        {answer && (
          <div>
            <p className={styles.quiet}>
              Largest estimates. Press one, or a cell, to compute it exactly.
              {place.by === "position" &&
                " Left out: the last position after the last layer, which is the answer itself."}
            </p>
            <ol className={styles.ranking} data-patches="">
              {largestPatches(answer, place.by).map((one) => (
                <li key={`${one.row} ${one.column}`}>
                  <button
                    type="button"
                    aria-pressed={cell?.row === one.row && cell.column === one.column}
                    onClick={() => setCell({ row: one.row, column: one.column })}
                  >
                    {patchText(answer.names[one.row]!, place.by, one.column, run.tokens)}
                  </button>{" "}
                  {movedText(answer, one.value)}
                </li>
              ))}
            </ol>
            {cell && name !== undefined && estimate !== undefined && (
              <p
                aria-live="polite"
                data-exact={exact.answer !== undefined && !exact.isOpen ? "ready" : "open"}
              >
                {patchText(name, place.by, cell.column, run.tokens)}: the difference is estimated at{" "}
                {decimals(estimate)} ({movedText(answer, estimate)}), exactly{" "}
                {exact.isOpen || exact.answer === undefined ? (
                  "…"
                ) : (
                  <b>
                    {decimals(exact.answer)} ({movedText(answer, exact.answer)})
                  </b>
                )}
                {exact.failure !== undefined && `: ${exact.failure}`}
              </p>
            )}
          </div>
        )}
      </div>
    </Section>
  );
}

/** The patches that move the metric most, by estimate. */
export function largestPatches(
  { names, values, columns, unpatched }: PatchAnswer,
  by: Place["by"],
): { readonly row: number; readonly column: number; readonly value: number }[] {
  // After the last layer, the last position is the answer itself.
  const count = by === "position" ? names.length * columns - 1 : names.length * columns;
  return Array.from(values.subarray(0, count), (value, i) => ({
    row: Math.floor(i / columns),
    column: i % columns,
    value,
  }))
    .filter(({ value }) => Number.isFinite(value))
    .sort((a, b) => Math.abs(b.value - unpatched) - Math.abs(a.value - unpatched))
    .slice(0, 5);
}

/** The share of the way from this text's difference of logits to the other's. Where both are the same: the change. */
function movedText({ unpatched, source }: PatchAnswer, value: number): string {
  const share = (value - unpatched) / (source - unpatched);
  return Number.isFinite(share) ? `share ${decimals(share)}` : `change ${decimals(value - unpatched)}`;
}

/** A patched part in words. */
function patchText(name: string, by: Place["by"], column: number, tokens: readonly string[]): string {
  const layer = /^layers\.(\d+)\./.exec(name)?.[1];
  if (layer === undefined) return `${sourceText(name)}, ${by} ${column}`;
  if (by === "head") return `layer ${layer}, head ${column}`;
  return `after layer ${layer}, at ${visible(tokens[column] ?? "")} (position ${column})`;
}

function pictureOf(
  { names, values, columns, unpatched, source }: PatchAnswer,
  tokens: readonly string[],
  by: Place["by"],
  selected: { readonly row: number; readonly column: number } | undefined,
): PictureArgs<"qkv-patching"> {
  const layerNames = names.map((name) =>
    sourceText(name).replace(/^(layer \d+),.*$/, by === "head" ? "$1" : "after $1"),
  );
  return [
    {
      names: layerNames,
      values: { data: values, shape: [names.length, columns] },
      ...{ unpatched, source },
    },
    { ...(by === "head" ? { columnName: by } : { columnLabels: tokens }), selected },
  ];
}
