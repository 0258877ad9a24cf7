import type { LensSessionRun, PatchAnswer, Prediction } from "@qkv/lens/session";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type ReactNode } from "react";
import type { LensClient } from "./client";
import {
  cellName,
  effectText,
  effectUnit,
  knownValues,
  patchText,
  readingOf,
  sortedPatches,
  splitText,
  trivialPlace,
  type ExactPatches,
  type PatchCell,
  type PatchPlace,
  type ShownPatches,
} from "./patch-map";
import { Picture, type PictureArgs } from "./picture";
import { ablationTargets, type Place, type Switched } from "./place";
import type { QuestionOf } from "./protocol";
import { Section } from "./section";
import { clipped, decimals, percent, sourceText, visible } from "./text-of";
import { useAnswer } from "./use-answer";
import styles from "./explorer.module.css";

/** Patches that are listed: those that move the logit difference most. */
const mostListed = 5;

/** Two texts compared: the effect of each patch of the second in the first, estimated, and exactly where it is asked for. */
export function ComparePanel({
  client,
  run,
  off,
  place,
  labels,
  isFast,
  change,
  onPatches,
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
  /** Called with the patches that are shown. */
  onPatches: (patches: ShownPatches) => void;
}): ReactNode {
  const [draft, setDraft] = useState(place.source);
  useEffect(() => setDraft(place.source), [place.source]);
  const [asked, setAsked] = useState<string>();
  const [cell, setCell] = useState<PatchCell>();
  const [computed, setComputed] = useState<readonly PatchCell[]>([]);
  // True: what is listed is computed, also what comes into the list by exact values of the others.
  const [computesAll, setComputesAll] = useState(false);
  const [exact, setExact] = useState<ExactPatches>(new Map());
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
  }, [answer]);
  useEffect(() => {
    onPatches({
      measure: answer?.minus && [answer.token.id, answer.minus.id],
      exact: answer ? cellsOf(exact).map((one) => placeOf(answer, place.by, one)) : [],
    });
  }, [answer, exact, place.by, onPatches]);
  // A press on the map gives its cell a frame without drawing it anew: one that is drawn gets it here.
  const framed = useRef<PatchCell>(undefined);
  useEffect(() => {
    framed.current = undefined;
    setCell(undefined);
    setComputed([]);
    setComputesAll(false);
    setExact(new Map());
  }, [pair]);
  const args = useMemo(
    () => answer && pictureOf(answer, exact, { ...pictured(place, labels), selected: framed.current }),
    [answer, exact, labels, place.by, place.source],
  );
  const picture = useRef<HTMLDivElement>(null);
  const choose = useCallback((chosen: PatchCell) => {
    framed.current = chosen;
    setCell(chosen);
    setComputed((before) => (before.some((one) => isSame(one, chosen)) ? before : [...before, chosen]));
  }, []);
  const keep = useCallback(
    (one: PatchCell, value: number) => setExact((before) => new Map(before).set(cellName(one), value)),
    [],
  );
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
  const known = answer && { ...answer, values: knownValues(answer, exact) };
  const unit = answer ? effectUnit(answer) : "fraction";
  const changed = run.tokens.flatMap((token, i) => (token === answer?.sourceTokens[i] ? [] : [i]));
  const trivialOf = (one: PatchCell) => answer && trivialPlace(answer, place.by, one, changed);
  const sorted = known ? sortedPatches(known) : [];
  const [strongest] = sorted;
  const trivial = strongest && trivialOf(strongest);
  const other = trivial && sorted.find((one) => !trivialOf(one));
  // Those that were asked for stay in the list, in its order.
  const rows = sorted.filter(
    (one, i) =>
      (!map.isOpen && (i < mostListed || one === other)) || computed.some((asked) => isSame(one, asked)),
  );
  const isComputed = (one: PatchCell) => computed.some((other) => isSame(one, other));
  const uncomputed = rows.filter((one) => !isComputed(one));
  useEffect(() => {
    if (computesAll && uncomputed.length > 0) setComputed((before) => [...before, ...uncomputed]);
  }, [computesAll, uncomputed.map(cellName).join(" ")]);
  const textOf = (one: PatchCell) =>
    patchText(answer?.names[one.row] ?? "", place.by, one.column, labels, trivialOf(one));
  // A row that moves with the order would lose the focus.
  const focused = useRef<HTMLElement>(null);
  const order = rows.map(cellName).join(" ");
  useLayoutEffect(() => {
    if (document.activeElement === document.body) focused.current?.focus();
  }, [order]);
  const measured = answer?.minus ? [answer.token, answer.minus] : [];
  const tokens = [...new Map([...run.next, ...sourceNext, ...measured].map((one) => [one.id, one])).values()];
  const reading =
    known && place.by === "position" && unit === "fraction" ? readingOf(known, labels) : undefined;
  const measure = place.measure ?? (answer?.minus && ([answer.token.id, answer.minus.id] as const));
  return (
    <Section title="Activation patching: compare with another text" of={map}>
      <p className={styles.quiet}>
        A patch copies one part of the pass on another text into the pass on this one. It shows which parts
        carry the difference between the two texts. The other text begins as a copy: change a word of it, to
        one with the same number of tokens.
      </p>
      <form
        className={styles.row}
        onSubmit={(event) => {
          event.preventDefault();
          compare({ source: draft });
        }}
      >
        <label className={`${styles.field} ${styles.grows}`}>
          <span>Other text, with the same number of tokens</span>
          <textarea
            rows={2}
            value={draft}
            spellCheck={false}
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
          This text has {lengths[0]} tokens and the other {lengths[1]}: a patch needs the same number.{" "}
          {splitText(own.answer!, source.answer!)}. Replace a word by one with the same number of tokens.
        </p>
      )}
      {answer && measure && (
        <>
          <p data-predictions="">
            After this text: {predictionText(run.next[0])}; after the other:{" "}
            {predictionText(answer.sourceNext[0])}. {measureReason(run, answer, place.measure !== undefined)}
          </p>
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
          {unit === "logits" && (
            <p className={styles.warning} data-tiny="">
              The two texts differ by {decimals(Math.abs(answer.source - answer.unpatched))} in this logit
              difference, which is small against what patches move: a fraction of it would tell little, so
              changes are in logits. Choose other tokens, or another word in the other text.
            </p>
          )}
          <p>
            The logit difference is {decimals(answer.unpatched)} after this text and {decimals(answer.source)}{" "}
            after the other.{" "}
            {unit === "fraction"
              ? "A cell is the fraction of the way between them that its patch restores: 0 as in this text, 1 as in the other."
              : "A cell is the change of the logit difference by its patch, in logits."}{" "}
            The map is an estimate from one gradient (attribution patching); cells with a dot are exact.
          </p>
          {known && strongest && (
            <p data-strongest="">
              The strongest place of the map: <b>{textOf(strongest)}</b>,{" "}
              {effectOf(known, unit, exact, strongest)}.{trivial && ` ${trivialReasons[trivial]}`}
              {other && (
                <>
                  {" "}
                  The strongest place that is not trivial: <b>{textOf(other)}</b>,{" "}
                  {effectOf(known, unit, exact, other)}.
                </>
              )}
            </p>
          )}
          {reading !== undefined && (
            <p data-reading="">
              {reading} A position has the difference where its patch moves at least half as much as the
              strongest one, by exact values {exact.size === 0 ? "once they are" : "where they are"} computed,
              else by estimates.
            </p>
          )}
        </>
      )}
      <div className={styles.pictured}>
        <div className={styles.wide} ref={picture}>
          {args && (
            <Picture name="qkv-patching" file="patching" args={args} event="cellselect" onChoose={choose} />
          )}
        </div>
        {answer && question && !map.isOpen && (
          <div>
            <table className={styles.bars} data-patches="">
              <caption>
                The largest, by magnitude: {unit === "logits" ? "change in logits" : "fraction restored"}
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
                  return (
                    <PatchRow
                      key={cellName(one)}
                      text={textOf(one)}
                      client={client}
                      effect={(value) => effectText(answer, unit, value)}
                      estimate={answer.values[one.row * answer.columns + one.column]!}
                      isChosen={cell !== undefined && isSame(one, cell)}
                      question={
                        isComputed(one)
                          ? {
                              ...{ ...question, token: answer.token.id, minus: answer.minus!.id },
                              place: placeOf(answer, place.by, one),
                            }
                          : undefined
                      }
                      press={() => press(one)}
                      keep={(value) => keep(one, value)}
                      focused={focused}
                    />
                  );
                })}
              </tbody>
            </table>
            {uncomputed.length > 0 && (
              <p>
                <button type="button" onClick={() => setComputesAll(true)}>
                  Compute these exactly
                </button>
              </p>
            )}
            <p className={styles.quiet}>
              Each takes a pass from its layer on. Press a cell of the map to add it. The order follows exact
              values where they are known.
            </p>
          </div>
        )}
      </div>
    </Section>
  );
}

const isSame = (one: PatchCell, other: PatchCell) => one.row === other.row && one.column === other.column;

/** The cells of exact values. */
const cellsOf = (exact: ExactPatches): readonly PatchCell[] =>
  [...exact.keys()].map((name) => {
    const [row, column] = name.split(",").map(Number);
    return { row: row!, column: column! };
  });

/** The place of a cell, as a question for its patch names it. */
const placeOf = ({ names }: PatchAnswer, by: Place["by"], { row, column }: PatchCell): PatchPlace => ({
  name: names[row]!,
  [by]: column,
});

/** The effect of a patch in words, with the origin of its value. */
function effectOf(
  known: PatchAnswer,
  unit: ReturnType<typeof effectUnit>,
  exact: ExactPatches,
  one: PatchCell,
): string {
  const value = effectText(known, unit, known.values[one.row * known.columns + one.column]!);
  return `${value}${unit === "logits" ? " logits" : ""} (${exact.has(cellName(one)) ? "exact" : "estimate"})`;
}

/** Reasons for which a place that restores the answer is trivial. */
const trivialReasons = {
  answer:
    "That is trivial: after the last layer the answer is read from the last token alone, so its patch brings the answer of the other text.",
  changed:
    "That is trivial: the token there is one that differs between the texts, and its patch brings it from the other text.",
};

const predictionText = (one: Prediction | undefined): string =>
  one ? `${visible(one.text)} ${percent(one.probability)}` : "nothing";

/** The tokens that patches are measured by, with the reason for them. */
function measureReason(
  run: LensSessionRun,
  { sourceNext, token, minus }: PatchAnswer,
  isChosen: boolean,
): string {
  const pair = `Patches are measured by the logit of ${visible(token.text)} minus that of ${visible(minus?.text ?? "")}: `;
  if (isChosen) return `${pair}the tokens that you chose.`;
  const [own, other] = [run.next[0], sourceNext[0]];
  if (own?.id !== other?.id) return `${pair}the most probable token after each text.`;
  return `${pair}as both texts predict the same token, the two likely ones whose logits the texts move furthest apart.`;
}

/** A patch with its estimate, and the exact effect once it is asked for. */
function PatchRow({
  client,
  text,
  effect,
  estimate,
  question,
  isChosen,
  press,
  keep,
  focused,
}: {
  client: LensClient | undefined;
  text: string;
  /** The effect of a patch after which the logit difference is `value`, in words. */
  effect: (value: number) => string;
  estimate: number;
  /** Undefined: not asked. */
  question: QuestionOf<"patch"> | undefined;
  isChosen: boolean;
  press: () => void;
  /** Called with the exact value. */
  keep: (value: number) => void;
  /** The element that had the focus when its row was pressed. */
  focused: { current: HTMLElement | null };
}): ReactNode {
  const exact = useAnswer(client, "patch", question);
  const isReady = exact.answer !== undefined && !exact.isOpen;
  const known = isReady ? exact.answer : undefined;
  const keeps = useRef(keep);
  keeps.current = keep;
  useEffect(() => {
    if (known !== undefined) keeps.current(known);
  }, [known]);
  return (
    <tr aria-current={isChosen || undefined}>
      <th scope="row">
        <button
          type="button"
          className={styles.source}
          onClick={({ currentTarget }) => {
            focused.current = currentTarget;
            press();
          }}
        >
          {text}
        </button>
      </th>
      <td className={styles.number}>≈ {effect(estimate)}</td>
      <td aria-live="polite" tabIndex={-1} data-exact={question && (isReady ? "ready" : "open")}>
        {question === undefined ? (
          <button
            type="button"
            aria-label={`Compute exactly: ${text}`}
            onClick={({ currentTarget }) => {
              // The button goes, and its cell keeps the focus.
              focused.current = currentTarget.parentElement;
              focused.current?.focus();
              press();
            }}
          >
            compute
          </button>
        ) : known !== undefined ? (
          <b>{effect(known)}</b>
        ) : (
          (exact.failure ?? "…")
        )}
      </td>
    </tr>
  );
}

const pictured = ({ by, source }: Place, labels: readonly string[]) => ({
  by,
  labels,
  title: `Patches from “${clipped(source)}”`,
});

function pictureOf(
  answer: PatchAnswer,
  exact: ExactPatches,
  { by, labels, title, selected }: ReturnType<typeof pictured> & { readonly selected: PatchCell | undefined },
): PictureArgs<"qkv-patching"> {
  const { names, columns, unpatched, source } = answer;
  const layerNames = names.map((name) =>
    sourceText(name).replace(/^(layer \d+),.*$/, by === "head" ? "$1" : "after $1"),
  );
  return [
    {
      names: layerNames,
      values: { data: knownValues(answer, exact), shape: [names.length, columns] },
      ...(effectUnit(answer) === "logits" ? { unpatched } : { unpatched, source }),
    },
    {
      ...(by === "head" ? { columnName: by } : { columnLabels: labels }),
      ...{ title, exact: cellsOf(exact), selected, metricName: "logit difference" },
    },
  ];
}
