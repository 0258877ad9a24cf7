import type { ThemeName } from "../../palette.js";
import type { Mark } from "../mark.js";
import { maxBarHeight, letterBoxHeight, translatorGrid, type Grid } from "./grid.js";
import { arrow } from "./lines.js";
import { letterAttention } from "./letter-attention.js";
import { shownLetter, type EncoderDecoderAttentionModel } from "./model.js";
import type { Stage } from "./steps.js";
import { emptyBlock, vectorCells } from "./vector-cells.js";
import { percentsThatAddUp } from "../percents.js";
import { progressWithin } from "../progress-within.js";

type Place = { x: number; y: number; width: number; phone: boolean };

/**
 * The translator, from bottom to top: source letters, their annotations, scores and weights, the context, the decoder's
 * states, and the letters that it writes.
 *
 * @param column - Index of the source letter that is pointed at.
 */
export function translator(
  model: EncoderDecoderAttentionModel,
  stage: Stage,
  column: number | undefined,
  place: Place,
): { marks: Mark[]; height: number } {
  const { source, annotations, decoded } = model;
  const now = decoded[stage.output]!;
  const [S, T] = [source.length, decoded.length];
  const grid = translatorGrid(model, place);
  const { rows, sourceX, stateX, columnWidth, pitch, cell, block, scale } = grid;
  const marks: Mark[] = [];
  marks.push(...rowNames(grid, stage, place.x));

  // The encoder: each half of the annotations appears letter by letter.
  const half = annotations[0]!.length / 2;
  const asValues = stage.context > 0;
  const asKeys = stage.score > 0;
  const keyRole = asKeys ? "key" : undefined;
  const role = asValues ? "value" : keyRole;
  source.forEach((letter, j) => {
    const isForward = stage.forward * (S + 1) > j + 1 || stage.forward >= 1;
    const isBackward = stage.backward * (S + 1) > S - j || stage.backward >= 1;
    const lit = column === j;
    marks.push({
      key: `source:${j}`,
      kind: "rect",
      x: sourceX(j) - Math.min(14, columnWidth / 2 - 1),
      y: rows.source,
      width: Math.min(28, columnWidth - 2),
      height: letterBoxHeight,
      radius: 4,
      stroke: lit ? "text" : "rule",
      strokeWidth: lit ? 2 : 1,
      text: shownLetter(letter),
      font: "mono",
      size: 15,
      ariaLabel: `letter ${j + 1} of the source: “${shownLetter(letter)}”`,
      cell: `source:0:${j}`,
    });
    const at = { x: sourceX(j) - block.width / 2, y: rows.annotations };
    const ariaLabel = `annotation of “${shownLetter(letter)}”, a key and a value, numbers: ${annotations[j]!.length}`;
    if (!isForward && !isBackward)
      marks.push(emptyBlock(`annotation:${j}`, at, annotations[j]!.length, cell));
    else
      marks.push(
        ...vectorCells(`annotation:${j}`, at, annotations[j]!, {
          cell,
          scale,
          color: role ?? "text",
          shown: (i) => (i < half ? isForward : isBackward),
          opacity: asValues ? 0.35 + 0.65 * Math.sqrt(now.weights[j]!) : 1,
          outline: lit ? "text" : (role ?? "rule"),
          ariaLabel,
          address: `annotation:0:${j}`,
        }),
      );
  });
  marks.push(...encoderArrows(stage, sourceX, rows.annotations, block, S));

  // The decoder: its states so far, one of which is the query, and the letters that it wrote.
  const done = stage.letter >= 1 ? stage.output + 1 : stage.output;
  const started = stage.backward >= 1;
  for (let t = 0; t <= T; t++) {
    const at = { x: stateX(t) - block.width / 2, y: rows.states };
    const state = t === 0 ? decoded[0]!.state : decoded[t - 1]!.next;
    const isNew = t === stage.output + 1 && stage.letter > 0.3;
    const isQuery = t === stage.output && started && asKeys;
    if (started && (t <= done || isNew))
      marks.push(
        ...vectorCells(`state:${t}`, at, state, {
          cell,
          scale: 1,
          color: "query",
          opacity: isQuery || t === stage.output + 1 ? 1 : 0.35,
          outline: "query",
          ariaLabel: `state of the decoder ${t === 0 ? "before it writes" : `after letter ${t}`}, numbers: ${state.length}`,
          address: `state:0:${t}`,
        }),
      );
    else marks.push(emptyBlock(`state:${t}`, at, state.length, cell));
    if (isQuery)
      marks.push({
        key: "query",
        kind: "rect",
        x: at.x - 4,
        y: at.y - 4,
        width: block.width + 7.2,
        height: block.height + 7.2,
        radius: 5,
        stroke: "query",
        strokeWidth: 2.5,
        layer: 1,
      });
    if (t > 0) {
      const from = stateX(t - 1) + block.width / 2 + 2;
      const to = stateX(t) - block.width / 2 - 3;
      if (to - from >= 6 && (t <= done || isNew))
        marks.push(
          arrow(
            `step:${t}`,
            from,
            rows.states + block.height / 2,
            to,
            rows.states + block.height / 2,
            "query",
          ),
        );
    } else
      marks.push({
        key: "start",
        kind: "text",
        x: stateX(0),
        y: rows.output + letterBoxHeight / 2 + 4,
        text: "start",
        size: 11,
        anchor: "middle",
        fill: "quiet",
      });
  }
  decoded.forEach(({ letter, probability, second }, t) => {
    const shown = t < done ? 1 : t === stage.output ? progressWithin(stage.letter, 0.6, 1) : 0;
    const current = t === stage.output && started && asKeys;
    const letterWidth = Math.min(30, pitch - 4);
    marks.push({
      key: `output:${t}`,
      kind: "rect",
      x: stateX(t + 1) - letterWidth / 2,
      y: rows.output,
      width: letterWidth,
      height: letterBoxHeight,
      radius: 4,
      stroke: current ? "text" : shown > 0 ? "quiet" : "hatch",
      strokeWidth: current ? 2 : 1,
      dash: shown === 0,
      text: shown > 0 ? shownLetter(letter) : current ? "?" : "",
      font: "mono",
      size: 15,
      weight: current ? 700 : 400,
      ariaLabel:
        shown > 0
          ? `letter ${t + 1}: “${letter}” with ${percentsThatAddUp([probability, 1 - probability])[0]!}, then “${shownLetter(second.letter)}”`
          : `letter ${t + 1}: not written yet`,
      cell: `output:0:${t}`,
      layer: 1,
    });
  });

  if (asKeys) marks.push(...letterAttention(model, stage, column, grid));
  return { marks, height: rows.source + letterBoxHeight - place.y };
}

/** Names of the rows: beside them, or above them on a narrow screen. */
function rowNames({ rows, block, phone }: Grid, stage: Stage, x: number): Mark[] {
  const name = (
    key: string,
    text: string,
    row: keyof Grid["rows"],
    middle: number,
    fill: ThemeName = "quiet",
    weight: 400 | 600 = 400,
  ): Mark => ({
    key: `name:${key}`,
    kind: "text",
    x,
    y: phone ? rows[row] - 6 : rows[row] + middle + 4,
    text,
    size: phone ? 11 : 12,
    fill,
    weight,
  });
  const half = block.height / 2;
  const context = name("context", "context", "context", half, "value-text");
  const shared = [
    name("output", "output", "output", letterBoxHeight / 2),
    name("states", "decoder states", "states", half, "query-text"),
    name("source", "source", "source", letterBoxHeight / 2),
  ];
  if (phone)
    return [
      ...shared,
      // At first, the lines from the query pass through the place of this name.
      ...(stage.context > 0 ? [context] : []),
      stage.weights > 0
        ? name("weights", "weights: softmax of the scores below", "scores", 0, "weight-text")
        : name("scores", "scores", "scores", 0),
      name("annotations", "annotations: keys and values", "annotations", 0),
    ];
  return [
    ...shared,
    context,
    name("weights", "weights", "weights", maxBarHeight / 2, "weight-text"),
    name("scores", "scores", "scores", 10),
    name("annotations", "annotations", "annotations", half - 17),
    name("keys", "= keys", "annotations", half, "key-text", 600),
    name("values", "= values", "annotations", half + 17, "value-text", 600),
  ];
}

/** Arrows of the recurrence of the encoder: to the right, then to the left. */
function encoderArrows(
  stage: Stage,
  at: (j: number) => number,
  y: number,
  block: { width: number; height: number },
  S: number,
): Mark[] {
  const marks: Mark[] = [];
  for (let j = 1; j < S; j++) {
    const [from, to] = [at(j - 1) + block.width / 2 + 2, at(j) - block.width / 2 - 3];
    if (to - from < 6) continue;
    if (stage.forward * (S + 1) > j + 1)
      marks.push(arrow(`forward:${j}`, from, y + block.height / 4, to, y + block.height / 4, "hatch"));
    if (stage.backward * (S + 1) > S - j + 1)
      marks.push(
        arrow(
          `backward:${j}`,
          to + 1,
          y + (3 * block.height) / 4,
          from + 1,
          y + (3 * block.height) / 4,
          "hatch",
        ),
      );
  }
  return marks;
}
