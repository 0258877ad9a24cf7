import type { LayerPrediction, LensSessionRun, PartsAnswer, Prediction } from "@qkv/lens/session";
import { useCallback, useEffect, useMemo, useState, type ReactNode } from "react";
import { Bar, SignedBar } from "./bar";
import type { LensClient } from "./client";
import { decision, wholeLayer, type Decision } from "./decision";
import { ablationTargets, type Switched } from "./place";
import type { QuestionOf } from "./protocol";
import { Section } from "./section";
import { percent, signed, visible } from "./text-of";
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
  parts: Answered<PartsAnswer>;
  /** The last token. */
  label: string;
}): ReactNode {
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
    (layer: number, next: Prediction) => setChecked((before) => ({ ...before, [layer]: next })),
    [],
  );
  const [first, second] = shown.run.next;
  const layers = Array.from({ length: shown.run.numLayers }, (_, layer) => layer);
  const { failure, again } = lens.failure === undefined ? parts : lens;
  return (
    <Section title="Which layer decides?" of={{ isOpen, failure, again }}>
      {found && first && (
        <>
          <p>
            After <b className="means-query">{label}</b> the model predicts <b>{visible(first.text)}</b>,{" "}
            {percent(first.probability)}
            {second && (
              <>
                ; the runner-up is {visible(second.text)}, {percent(second.probability)}
              </>
            )}
            .
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
            <table className={styles.bars}>
              <thead>
                <tr>
                  <td />
                  <th scope="col" colSpan={2}>
                    logit lens: {visible(first.text)}
                  </th>
                  <th scope="col" colSpan={2}>
                    direct contribution{second && ` over ${visible(second.text)}`}
                  </th>
                  <th scope="col">causal check</th>
                </tr>
                <tr>
                  <td />
                  <th scope="col">probability</th>
                  <th scope="col">rank</th>
                  <th scope="col">attention</th>
                  <th scope="col">feed-forward</th>
                  <td />
                </tr>
              </thead>
              <tbody>
                {found.effects.map((effect) => (
                  <Effect key={effect.layer} {...effect} most={mostOf(found)}>
                    <Ablated
                      layer={effect.layer}
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
          <p aria-live="polite" data-check={asked.every((layer) => checked[layer]) ? "ready" : "open"}>
            {asked.length > 0 && <Needed {...{ asked, checked, first }} />}
          </p>
          {asked.length < layers.length && (
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
      By the logit lens, <b>{visible(answer)}</b> is the most probable token{" "}
      <b>{from < 0 ? "from the embedding on" : `from layer ${from} on`}</b>
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
          , where the {partText[largest.part]} also adds the largest direct contribution to its logit{over} (
          {signed(largest.value)})
        </>
      )}
      {largest && !isOne && (
        <>
          . The largest direct contribution to its logit{over} is that of another layer: the{" "}
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
  children,
}: Decision["effects"][number] & {
  most: ReturnType<typeof mostOf>;
  /** The run without the layer. */
  children: ReactNode;
}): ReactNode {
  return (
    <tr data-effect={layer}>
      <th scope="row">{layer < 0 ? "embedding" : `layer ${layer}`}</th>
      <td>
        <Bar part={probability / most.probability} />
        {percent(probability)}
      </td>
      <td>{rank}</td>
      {layer < 0 ? (
        <td colSpan={3} />
      ) : (
        <>
          <td>
            <SignedBar value={attention} most={most.value} />
          </td>
          <td>
            <SignedBar value={feedForward} most={most.value} />
          </td>
          <td>{children}</td>
        </>
      )}
    </tr>
  );
}

/** The likeliest tokens of runs without a layer, by the layer. */
type Checked = Readonly<Record<number, Prediction>>;

/** The prediction without a layer, once it is asked for. */
function Ablated({
  client,
  layer,
  first,
  question,
  ask,
  keep,
}: {
  client: LensClient | undefined;
  layer: number;
  first: Prediction;
  /** Undefined: not asked. */
  question: QuestionOf<"ablate"> | undefined;
  ask: () => void;
  keep: (layer: number, next: Prediction) => void;
}): ReactNode {
  const { answer, isOpen, failure, again } = useAnswer(client, "ablate", question);
  const [best, now] = [answer?.next[0], answer?.watched[0]];
  useEffect(() => {
    if (best) keep(layer, best);
  }, [best, layer, keep]);
  if (question === undefined)
    return (
      <button type="button" onClick={ask}>
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
      {percent(first.probability)} → {percent(now.probability)},{" "}
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

/** The layers among those that were checked that the answer needs. */
function Needed({
  asked,
  checked,
  first,
}: {
  asked: readonly number[];
  checked: Checked;
  first: Prediction;
}): ReactNode {
  const known = [...asked].sort((a, b) => a - b).filter((layer) => checked[layer]);
  const needed = known.filter((layer) => checked[layer]!.id !== first.id);
  const others = known.filter((layer) => !needed.includes(layer));
  if (known.length === 0) return "…";
  return (
    <>
      {needed.length > 0 && (
        <>
          The answer <b>needs {layersText(needed)}</b>: without{" "}
          {needed.length === 1 ? "it" : "any one of them"} the model predicts another token.{" "}
        </>
      )}
      {others.length > 0 &&
        `It stays ${visible(first.text)} without ${others.length > 1 ? "any one of " : ""}${layersText(others)}.`}
    </>
  );
}

/** Layers in words: `layers 0, 1 and 3`. */
function layersText(layers: readonly number[]): string {
  if (layers.length === 1) return `layer ${layers[0]}`;
  return `layers ${layers.slice(0, -1).join(", ")} and ${layers.at(-1)}`;
}
