import type { LensSessionRun, PatchAnswer } from "@qkv/lens/session";
import { useCallback, useEffect, useMemo, useState, type ReactNode } from "react";
import type { LensClient } from "./client";
import { Picture, type PictureArgs } from "./picture";
import type { Place } from "./place";
import { Section } from "./section";
import { sourceText, visible } from "./text-of";
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
    () => answer && pictureOf(answer, run.tokens, place.by),
    [answer, run.tokens, place.by],
  );
  const choose = useCallback((chosen: { row: number; column: number }) => setCell(chosen), []);
  const estimate = cell && answer ? answer.values[cell.row * answer.columns + cell.column] : undefined;
  const compare = () => {
    change({ source: draft });
    setAsked(`${place.text}\n${draft}\n${place.by}`);
  };
  return (
    <Section title="Compare with another text" of={map}>
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
          <span>Columns</span>
          <select
            value={place.by}
            onChange={({ target }) => change({ by: target.value as "position" | "head" })}
          >
            <option value="position">positions</option>
            <option value="head">heads</option>
          </select>
        </label>
        <button type="submit">Compare</button>
      </form>
      {!fits && lengths[0] !== undefined && lengths[1] !== undefined && (
        <p className={styles.quiet}>
          The text has {lengths[0]} tokens and the other {lengths[1]}: patches need as many. Change a word for
          one of as many tokens.
        </p>
      )}
      {first && second && (
        <p className={styles.quiet}>
          Each cell: the logit of <b>{visible(first.text)}</b> minus that of <b>{visible(second.text)}</b>{" "}
          once this part comes from the other text. The map is an estimate by one gradient; a cell that you
          choose is computed exactly.
        </p>
      )}
      <div className={styles.wide}>
        {args && <Picture name="qkv-patching" args={args} event="cellselect" onChoose={choose} />}
      </div>
      {cell && name !== undefined && (
        <p aria-live="polite" data-exact={exact.answer !== undefined && !exact.isOpen ? "ready" : "open"}>
          {sourceText(name)}, {place.by} {cell.column}: estimated {estimate?.toFixed(3)}, exactly{" "}
          {exact.isOpen ? "…" : (exact.answer?.toFixed(3) ?? "not computed")}
          {exact.failure !== undefined && `: ${exact.failure}`}
        </p>
      )}
    </Section>
  );
}

function pictureOf(
  { names, values, columns, unpatched, source }: PatchAnswer,
  tokens: readonly string[],
  by: Place["by"],
): PictureArgs<"qkv-patching"> {
  return [
    {
      names: names.map(sourceText),
      values: { data: values, shape: [names.length, columns] },
      ...{ unpatched, source },
    },
    by === "head" ? { columnName: by } : { columnLabels: tokens },
  ];
}
