import type { LayerPrediction, LensSessionRun, LogitPartsAnswer, Prediction } from "@qkv/lens/session";
import { useCallback, useEffect, useMemo, useState, type ReactNode } from "react";
import { Bar, SignedBar } from "./bar";
import type { LensClient } from "./client";
import { addedBy, decision, nearlyTied, wholeLayer, withoutLayer, type Decision } from "./decision";
import { useIsNarrow } from "./narrow";
import { ablationTargets, type Switched } from "./place";
import type { QuestionOf } from "./protocol";
import { Section } from "./section";
import { listed, percent, percents, signed, visible } from "./text-of";
import { useAnswer, type Answered } from "./use-answer";
import styles from "./explorer.module.css";

/** The answer to “Which layer decides?”: the logit lens and direct contributions side by side, and a run without a layer. */
export function WhichLayer({
  client,
  text,
  run,
  off,
  lens,
  parts,
  label,
}: {
  client: LensClient | undefined;
  text: string;
  run: LensSessionRun;
  /** Parts that are switched off in the run. */
  off: readonly Switched[];
  lens: Answered<LayerPrediction[]>;
  parts: Answered<LogitPartsAnswer>;
  /** The last token. */
  label: string;
}): ReactNode {
  const isNarrow = useIsNarrow();
  const isOpen = lens.isOpen || parts.isOpen;
  const latest = useMemo(
    () => ({ run, lens: lens.answer, parts: parts.answer }),
    [run, lens.answer, parts.answer],
  );
  const shown = useSettled(latest, isOpen);
  const found = useMemo(() => {
    const last = Math.max(...(shown.lens ?? []).map(({ position }) => position));
    const atLast = shown.lens?.filter(({ position }) => position === last);
    return atLast && shown.parts && decision(atLast, shown.parts);
  }, [shown]);
  const [asked, setAsked] = useState<readonly number[]>([]);
  const [checked, setChecked] = useState<Checked>({});
  useEffect(() => {
    setAsked([]);
    setChecked({});
  }, [shown.run]);
  const keep = useCallback(
    (layer: number, without: Checked[number]) => setChecked((before) => ({ ...before, [layer]: without })),
    [],
  );
  const [first, second] = shown.run.next;
  const isOff = (layer: number) => ["a", "f"].every((part) => off.includes(`${layer}.${part}`));
  const layers = Array.from({ length: shown.run.numLayers }, (_, layer) => layer).filter(
    (layer) => !isOff(layer),
  );
  const isTied = second && shown.parts && Math.abs(shown.parts.logit) < nearlyTied;
  const { failure, again } = lens.failure === undefined ? parts : lens;
  return (
    <Section title="Which layer decides?" of={{ isOpen, failure, again }}>
      {found && first && (
        <>
          <p data-verdict="" aria-live="polite">
            <Verdict {...found} {...{ first, second, checked }} difference={shown.parts?.logit ?? 0} />{" "}
            <span data-check={asked.every((layer) => checked[layer]) ? "ready" : "open"}>
              {asked.length > 0 && <Needed {...{ asked, checked, first }} decider={found.decider?.layer} />}
            </span>
          </p>
          <p>
            After <b className="means-query">{label}</b> the model predicts <b>{visible(first.text)}</b>,{" "}
            {percent(first.probability)}
            {second && (
              <>
                ; the runner-up is {visible(second.text)}, {percent(second.probability)}
              </>
            )}
            .
            {isTied &&
              ` The two tokens are nearly tied (${percents(first.probability, second.probability).join(" and ")}).`}
          </p>
          <p data-decision="">
            <Sentence {...found} answer={first.text} runnerUp={second?.text} />
          </p>
          <p className={styles.quiet}>
            The logit lens reads all that the residual stream holds after a layer; a direct contribution is
            what the layer itself adds to the logit, as if no later layer read it. To test whether the answer
            needs a layer, run the model without it.
          </p>
          <div className={styles.wide} tabIndex={0} role="group" aria-label="Layers by both measures">
            <table className={`${styles.bars} ${styles.layers}`}>
              <thead>
                <tr>
                  <td />
                  <th scope="col" colSpan={2}>
                    logit lens: {visible(first.text)}
                  </th>
                  <th scope="col" colSpan={2}>
                    direct contribution{second && ` over ${visible(second.text)}`}
                  </th>
                  {!isNarrow && <th scope="col">causal check</th>}
                </tr>
                <tr>
                  <td />
                  <th scope="col">probability</th>
                  <th scope="col">rank</th>
                  <th scope="col">attention</th>
                  <th scope="col">feed-forward layer</th>
                  {!isNarrow && <td />}
                </tr>
              </thead>
              <tbody>
                {found.effects.map((effect) => (
                  <Effect key={effect.layer} {...effect} {...{ isNarrow }} most={mostOf(found)}>
                    <Ablated
                      layer={effect.layer}
                      isOff={isOff(effect.layer)}
                      {...{ client, first, keep }}
                      question={
                        asked.includes(effect.layer)
                          ? {
                              text,
                              targets: [...ablationTargets(off), ...wholeLayer(effect.layer)],
                              tokens: [first.id],
                            }
                          : undefined
                      }
                      ask={() => setAsked((before) => [...before, effect.layer])}
                    />
                  </Effect>
                ))}
              </tbody>
            </table>
          </div>
          <p className={styles.quiet}>
            {shown.parts && `All contributions sum to ${signed(shown.parts.logit)}; `}embeddings and biases of
            the output add {signed(found.others)} of it.
          </p>
          {layers.some((layer) => !asked.includes(layer)) && (
            <p>
              <button type="button" onClick={() => setAsked(layers)}>
                Run without each layer in turn
              </button>
            </p>
          )}
        </>
      )}
    </Section>
  );
}

/** A value as it was when nothing was being computed. */
function useSettled<T>(value: T, isOpen: boolean): T {
  const [settled, settle] = useState(value);
  useEffect(() => {
    if (!isOpen) settle(value);
  }, [value, isOpen]);
  return settled;
}

const partText = { attention: "attention", feedForward: "feed-forward layer" };

/** The layer that contributes most to the answer, in a sentence; that the answer stays without it is said once it is known. */
function Verdict({
  decider,
  first,
  second,
  checked,
  difference,
}: Decision & {
  checked: Checked;
  first: Prediction;
  second: Prediction | undefined;
  /** The logit of the answer, minus that of the runner-up. */
  difference: number;
}): ReactNode {
  const over = second ? `the difference of their logits, ${signed(difference)}` : "its logit";
  const tokens = second
    ? `between ${visible(first.text)} and ${visible(second.text)}`
    : `for ${visible(first.text)}`;
  if (!decider)
    return (
      <b>
        No layer decides {tokens}: none adds to {over}.
      </b>
    );
  const [one, other] =
    decider.feedForward > decider.attention
      ? (["feedForward", "attention"] as const)
      : (["attention", "feedForward"] as const);
  const without = checked[decider.layer];
  const isKept = without && withoutLayer(first, without.best, without.now) === "kept";
  return (
    <>
      <b>
        Layer {decider.layer} {without && !isKept ? "decides" : "contributes most to the choice"} {tokens}
      </b>
      {isKept
        ? ", but does not decide alone: "
        : without
          ? ": "
          : " (run without it to see whether it decides): "}
      it adds {signed(addedBy(decider))} to {over}; its {partText[one]} adds {signed(decider[one])}, its{" "}
      {partText[other]} {signed(decider[other])}.
    </>
  );
}

/** Both measures in a sentence. */
function Sentence({
  from,
  rise,
  largest,
  answer,
  runnerUp,
}: Decision & { answer: string; runnerUp: string | undefined }): ReactNode {
  const isOne = rise && largest && rise.layer === largest.layer;
  const over = runnerUp === undefined ? "" : ` over ${visible(runnerUp)}`;
  return (
    <>
      By the logit lens, <b>{visible(answer)}</b> is{" "}
      <b>first, and stays first, {from < 0 ? "from the embedding on" : `from layer ${from} on`}</b>
      {rise ? (
        <>
          ; its probability rises most in <b>layer {rise.layer}</b> ({signed(rise.after - rise.before)}, to{" "}
          {percent(rise.after)})
        </>
      ) : (
        "; its probability rises in no layer"
      )}
      {largest && isOne && (
        <>
          , where the {partText[largest.part]} also adds the largest positive direct contribution to its logit
          {over} ({signed(largest.value)})
        </>
      )}
      {largest && !isOne && (
        <>
          . The largest positive direct contribution to its logit{over} is that of another layer: the{" "}
          {partText[largest.part]} of <b>layer {largest.layer}</b> ({signed(largest.value)})
        </>
      )}
      .
    </>
  );
}

/** The largest numbers of the table, whose bars are the longest. */
const mostOf = ({ effects }: Decision) => ({
  probability: Math.max(...effects.map(({ probability }) => probability), 1e-9),
  value: Math.max(
    ...effects.flatMap(({ attention, feedForward }) => [Math.abs(attention), Math.abs(feedForward)]),
    1e-9,
  ),
});

function Effect({
  layer,
  probability,
  rank,
  attention,
  feedForward,
  most,
  isNarrow,
  children,
}: Decision["effects"][number] & {
  /** True: the run without the layer has a row of its own. */
  isNarrow: boolean;
  most: ReturnType<typeof mostOf>;
  /** The run without the layer. */
  children: ReactNode;
}): ReactNode {
  const row = (
    <tr data-effect={layer}>
      <th scope="row">{layer < 0 ? "embedding" : `layer ${layer}`}</th>
      <td>
        <Bar part={probability / most.probability} />
        {percent(probability)}
      </td>
      <td>{rank}</td>
      {layer < 0 ? (
        <td colSpan={isNarrow ? 2 : 3} />
      ) : (
        <>
          <td>
            <SignedBar value={attention} most={most.value} />
          </td>
          <td>
            <SignedBar value={feedForward} most={most.value} />
          </td>
          {!isNarrow && <td tabIndex={-1}>{children}</td>}
        </>
      )}
    </tr>
  );
  if (!isNarrow || layer < 0) return row;
  return (
    <>
      {row}
      <tr>
        <td colSpan={5} tabIndex={-1} className={styles.below}>
          {children}
        </td>
      </tr>
    </>
  );
}

/** Runs without a layer, by the layer: the likeliest token, and the answer of the run with all of them. */
type Checked = Readonly<Record<number, { readonly best: Prediction; readonly now: Prediction }>>;

/** The prediction without a layer, once it is asked for. */
function Ablated({
  client,
  layer,
  isOff,
  first,
  question,
  ask,
  keep,
}: {
  client: LensClient | undefined;
  layer: number;
  /** True: the run is without the layer already. */
  isOff: boolean;
  first: Prediction;
  /** Undefined: not asked. */
  question: QuestionOf<"ablate"> | undefined;
  ask: () => void;
  keep: (layer: number, without: Checked[number]) => void;
}): ReactNode {
  const { answer, isOpen, failure, again } = useAnswer(client, "ablate", question);
  const [best, now] = [answer?.next[0], answer?.watched[0]];
  useEffect(() => {
    if (best && now) keep(layer, { best, now });
  }, [best, now, layer, keep]);
  if (isOff) return "switched off";
  if (question === undefined)
    return (
      <button
        type="button"
        onClick={({ currentTarget }) => {
          // The button goes: its cell, which will hold the result, has the focus.
          currentTarget.closest("td")?.focus();
          ask();
        }}
      >
        Run without layer {layer}
      </button>
    );
  if (failure !== undefined)
    return (
      <button type="button" onClick={again}>
        {failure} Compute again
      </button>
    );
  if (isOpen || !best || !now) return "…";
  return (
    <>
      {percents(first.probability, now.probability).join(" → ")},{" "}
      {best.id === first.id ? (
        "still first"
      ) : (
        <b>
          first is {visible(best.text)}, {percent(best.probability)}
        </b>
      )}
    </>
  );
}

/** The layers among those that were checked without which the answer is lost, those that choose it, and the others. */
function Needed({
  asked,
  checked,
  first,
  decider,
}: {
  asked: readonly number[];
  checked: Checked;
  first: Prediction;
  /** The layer that contributes most. */
  decider: number | undefined;
}): ReactNode {
  const known = [...asked].sort((a, b) => a - b).filter((layer) => checked[layer]);
  const those = (as: ReturnType<typeof withoutLayer>) =>
    known.filter((layer) => withoutLayer(first, checked[layer]!.best, checked[layer]!.now) === as);
  const [lost, changed, kept] = [those("lost"), those("changed"), those("kept")];
  if (known.length === 0) return "…";
  const token = visible(first.text);
  const most = Math.max(...lost.map((layer) => checked[layer]!.now.probability));
  const prepare = decider !== undefined && lost.every((layer) => layer < decider);
  return (
    <>
      {lost.length > 0 && (
        <>
          <b>
            {layersText(lost, "L")}{" "}
            {prepare
              ? lost.length === 1
                ? "prepares"
                : "prepare"
              : lost.length === 1
                ? "is needed"
                : "are needed"}
          </b>
          : {withoutText(lost)} {token} is lost altogether (probability{" "}
          {most < 0.0005 ? "near 0" : `${percent(most)} or less`}
          ).{" "}
        </>
      )}
      {changed.length > 0 && (
        <>
          <b>
            {layersText(changed, "L")} {changed.length === 1 ? "chooses" : "choose"}
          </b>
          : {withoutText(changed)} another token is the most probable (
          {listed([...new Set(changed.map((layer) => visible(checked[layer]!.best.text)))])}).{" "}
        </>
      )}
      {kept.length > 0 &&
        `The answer stays ${token} without ${kept.length > 1 ? `each of ${layersText(kept, "l")} alone` : layersText(kept, "l")}.`}
    </>
  );
}

const withoutText = ({ length }: readonly number[]): string =>
  length === 1 ? "without it" : "without each one alone";

/** Layers in words: `layers 0, 1 and 3`. */
const layersText = (layers: readonly number[], letter: "l" | "L"): string =>
  `${letter}ayer${layers.length === 1 ? "" : "s"} ${listed(layers)}`;
