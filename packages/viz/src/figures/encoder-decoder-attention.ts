import type { Control, Figure, FigureTable, FormulaPart, Moment, Press } from "./figure.js";
import { alignment } from "./encoder-decoder-attention/alignment.js";
import {
  indexOfMax,
  shownLetter,
  type EncoderDecoderAttentionChoices,
  type EncoderDecoderAttentionModel,
} from "./encoder-decoder-attention/model.js";
import { scoreArithmetic } from "./encoder-decoder-attention/score-arithmetic.js";
import type { phases } from "./encoder-decoder-attention/steps.js";
import { stageAt, stepId, steps } from "./encoder-decoder-attention/steps.js";
import { translator } from "./encoder-decoder-attention/translator.js";
import type { Mark, Scene } from "./mark.js";
import { wrapText } from "./wrap-text.js";

export type {
  DecodedLetter,
  EncoderDecoderAttentionChoices,
  EncoderDecoderAttentionModel,
} from "./encoder-decoder-attention/model.js";

/**
 * *Before transformers*: a recurrent translator of dates with additive attention. The encoder computes an annotation of each
 * source letter. For each output letter, the decoder's state is scored against all annotations, softmax turns the scores
 * into weights, and the context is the weighted sum of the annotations. The alignment fills row by row.
 *
 * The model is made by `encoderDecoderAttentionModel` of `@qkv/figures/encoder-decoder-attention`.
 *
 * @example
 * ```ts
 * import { encoderDecoderAttention } from "@qkv/viz/figures/encoder-decoder-attention";
 *
 * encoderDecoderAttention.initial.source; // => "3 May 1979"
 * ```
 */
export const encoderDecoderAttention: Figure<EncoderDecoderAttentionModel, EncoderDecoderAttentionChoices> = {
  name: "encoder-decoder-attention",
  title: "Before transformers",
  caption:
    "The query is the decoder's state. Keys and values are the same vectors, the annotations of the source. Grey: negative.",
  initial: { source: "3 May 1979" },
  modelInputs: ["source"],
  steps,
  scene,
  controls,
  table,
  formula,
  press,
};

const columnAddress = /^(?:source|annotation|score|weight):0:(\d+)$|^align:\d+:(\d+)$/;

function scene(
  model: EncoderDecoderAttentionModel,
  _: EncoderDecoderAttentionChoices,
  moment: Moment,
  width: number,
): Scene {
  const stage = stageAt(moment.step, moment.progress);
  const phone = width < 640;
  const margin = phone ? 4 : 8;
  const match = columnAddress.exec(moment.focus ?? "");
  const focusedColumn = match ? Number(match[1] ?? match[2]) : undefined;
  const column =
    focusedColumn !== undefined && focusedColumn < model.source.length ? focusedColumn : undefined;
  const shown = column ?? indexOfMax(model.decoded[stage.output]!.scores);
  const whole = width - 2 * margin;
  const side = phone ? whole : Math.min(400, whole * 0.36);
  const main = translator(model, stage, stage.score > 0 ? shown : column, {
    x: margin,
    y: 4,
    width: phone ? whole : whole - side - 40,
    phone,
  });
  const x = phone ? margin : width - margin - side;
  const map = alignment(model, stage, stage.score > 0 ? shown : column, {
    x,
    y: phone ? 4 + main.height + 24 : 0,
    width: side,
  });
  let y = (phone ? 4 + main.height + 24 : 0) + map.height + 22;
  const marks: Mark[] = [...main.marks, ...map.marks];
  if (stage.score > 0) {
    const score = scoreArithmetic(model, stage.output, shown, { x, y, width: side });
    marks.push(...score.marks);
  }
  y += 114;
  const note = wrapText(`${model.madeBy}. Point at a source letter for its score.`, side);
  note.forEach((text, i) =>
    marks.push({ key: `note:${i}`, kind: "text", x, y: y + 16 + 16 * i, text, fill: "quiet" }),
  );
  const height = Math.max(4 + main.height, y + 16 * note.length + 4) + 6;
  return { width, height, marks, description: describe(model, stage) };
}

function describe(
  { source, decoded }: EncoderDecoderAttentionModel,
  stage: ReturnType<typeof stageAt>,
): string {
  const written = decoded.slice(0, stage.output + (stage.letter >= 1 ? 1 : 0)).map(({ letter }) => letter);
  const { weights } = decoded[stage.output]!;
  const strongest = indexOfMax(weights);
  return `“${source.join("")}” is translated letter by letter; written so far: “${written.join("")}”. For letter ${stage.output + 1} the most weight, ${weights[strongest]!.toFixed(2)}, is on “${shownLetter(source[strongest]!)}”.`;
}

function controls(): Control<EncoderDecoderAttentionChoices>[] {
  const examples = ["3 May 1979", "May 3, 1979", "03.05.1979", "21 January 1918", "September 27, 2045"];
  return [
    {
      kind: "text",
      key: "source",
      label: "Date",
      maxLength: 20,
      placeholder: "3 May 1979",
      examples: examples.map((source) => ({ label: source, choices: { source } })),
    },
  ];
}

function table(
  { source, decoded, annotations }: EncoderDecoderAttentionModel,
  _: EncoderDecoderAttentionChoices,
  step: number,
): FigureTable {
  if (step < 2)
    return {
      columns: ["letter", "annotation"],
      rows: source.map((letter, j) => [
        shownLetter(letter),
        annotations[j]!.map((value) => value.toFixed(2)).join(" "),
      ]),
    };
  const { scores, weights } = decoded[stageAt(step, 1).output]!;
  return {
    columns: ["place", "letter", "score", "weight"],
    rows: source.map((letter, j) => [
      j + 1,
      shownLetter(letter),
      scores[j]!.toFixed(4),
      weights[j]!.toFixed(4),
    ]),
  };
}

function formula({ decoded }: EncoderDecoderAttentionModel): FormulaPart[] {
  const last = decoded.length - 1;
  const chapterSteps = (phase: (typeof phases)[number]) => decoded.map((_, output) => stepId(phase, output));
  return [
    { text: "h = encoder(x), ", step: "backward", activeSteps: ["forward", "backward"], color: "key-text" },
    {
      text: "e = v · tanh(W s + U h), ",
      step: stepId("score", last),
      activeSteps: chapterSteps("score"),
      color: "query-text",
    },
    {
      text: "α = softmax(e), ",
      step: stepId("weights", last),
      activeSteps: chapterSteps("weights"),
      color: "weight-text",
    },
    {
      text: "c = Σ α h, ",
      step: stepId("context", last),
      activeSteps: chapterSteps("context"),
      color: "value-text",
    },
    { text: "s, y = decoder(s, y, c)", step: stepId("letter", last), activeSteps: chapterSteps("letter") },
  ];
}

/** A press on an output letter, or on its row of the alignment, goes to its step; a press on the source keeps the focus. */
function press(
  { decoded }: EncoderDecoderAttentionModel,
  _: EncoderDecoderAttentionChoices,
  cell: string,
): Press<EncoderDecoderAttentionChoices> | undefined {
  const match = /^(output:0|align):(\d+)/.exec(cell);
  const output = Number(match?.[2]);
  return match && output < decoded.length ? { step: stepId("letter", output) } : undefined;
}
