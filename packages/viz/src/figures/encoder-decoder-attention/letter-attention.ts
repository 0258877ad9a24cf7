import { easeCubicInOut } from "d3-ease";
import type { Mark } from "../mark.js";
import { maxBarHeight, letterBoxHeight, type Grid } from "./grid.js";
import { arrow, curve } from "./lines.js";
import { shownLetter, type EncoderDecoderAttentionModel } from "./model.js";
import type { Stage } from "./steps.js";
import { emptyBlock, vectorCells } from "./vector-cells.js";
import { fixed } from "../fixed.js";
import { weightTexts } from "../percents.js";
import { progressWithin } from "../progress-within.js";

/**
 * Scores, weights and context of the output letter of a stage.
 *
 * @param stage - The output letter, and the progress of its steps from 0 to 1: `score`, `weights`, `context`, `letter`.
 * @param column - Index of the source letter that is pointed at.
 */
export function letterAttention(
  { source, decoded }: EncoderDecoderAttentionModel,
  stage: Stage,
  column: number | undefined,
  { phone, rows, sourceX, stateX, columnWidth, cell, block, scale }: Grid,
): Mark[] {
  const decodedLetter = decoded[stage.output]!;
  const S = source.length;
  const marks: Mark[] = [];
  const [low, high] = [Math.min(...decodedLetter.scores), Math.max(...decodedLetter.scores)];
  const weightLabels = weightTexts(decodedLetter.weights);
  const queryAt = { x: stateX(stage.output), y: rows.states + block.height + 4 };
  const contextX = stateX(stage.output + 1);
  const contextEnd = rows.context + block.height + 4;
  source.forEach((letter, j) => {
    const score = decodedLetter.scores[j]!;
    const weight = decodedLetter.weights[j]!;
    const centerX = sourceX(j);
    // Scores appear one after another: each takes 0.4 of the progress.
    const appeared = progressWithin(stage.score, (0.6 * j) / S, (0.6 * j) / S + 0.4);
    const isPointedAt = column === j;
    if (stage.weights <= 0)
      marks.push({
        key: `ask:${j}`,
        kind: "path",
        x: 0,
        y: 0,
        d: curve(queryAt.x, queryAt.y, centerX, rows.scores - (phone ? 20 : 2)),
        stroke: "query",
        strokeWidth: 1.5,
        opacity: 0.6 * appeared,
      });
    const scoreWidth = Math.min(36, columnWidth - 2);
    marks.push({
      key: `score:${j}`,
      kind: "rect",
      x: centerX - scoreWidth / 2,
      y: rows.scores,
      width: scoreWidth,
      height: 20,
      radius: 3,
      fill: "key",
      fillOpacity: 0.08 + 0.5 * ((score - low) / Math.max(1e-9, high - low)),
      ...(isPointedAt && { stroke: "text", strokeWidth: 2 }),
      opacity: appeared,
      text: scoreWidth >= 30 ? fixed(score, 1) : "",
      size: 11,
      ariaLabel: `score of “${shownLetter(letter)}” for letter ${stage.output + 1}: ${fixed(score, 3)}`,
      cell: `score:0:${j}`,
    });
    if (stage.weights > 0) {
      const height = Math.max(1, weight * maxBarHeight) * easeCubicInOut(stage.weights);
      const barWidth = Math.min(28, columnWidth - 4);
      marks.push(
        {
          key: `weight:${j}`,
          kind: "rect",
          x: centerX - barWidth / 2,
          y: rows.weights + maxBarHeight - height,
          width: barWidth,
          height,
          radius: 2,
          fill: "weight",
          fillOpacity: 0.85,
          ariaLabel: `weight of “${shownLetter(letter)}” for letter ${stage.output + 1}: ${fixed(weight, 3)}`,
          cell: `weight:0:${j}`,
        },
        {
          key: `weight:${j}:text`,
          kind: "text",
          x: centerX,
          y: rows.weights + maxBarHeight - height - 4,
          anchor: "middle",
          size: 11,
          weight: weight >= 0.3 ? 600 : 400,
          text: columnWidth < 26 ? weightLabels[j]!.replace(/^0/, "") : weightLabels[j]!,
          fill: weight < 0.05 ? "quiet" : "text",
          opacity: progressWithin(stage.weights, 0.5, 1),
          layer: 1,
        },
      );
      if (stage.context > 0 && weight > 0.004)
        marks.push({
          key: `mix:${j}`,
          kind: "path",
          x: 0,
          y: 0,
          d: curve(centerX, rows.weights + maxBarHeight - height - 17, contextX, contextEnd),
          stroke: "value",
          strokeWidth: 0.8 + 5 * weight,
          opacity: (0.25 + 0.6 * weight) * progressWithin(stage.context, 0, 0.5),
        });
    }
  });
  const box = { x: contextX - block.width / 2, y: rows.context };
  if (stage.context > 0.3) {
    const contextProgress = progressWithin(stage.context, 0.3, 1);
    marks.push(
      ...vectorCells("context", box, decodedLetter.context, {
        cell,
        scale,
        color: "value",
        opacity: contextProgress,
        ariaLabel: `context of letter ${stage.output + 1}: annotations added by weight, numbers: ${decodedLetter.context.length}`,
        address: "context:0:0",
      }),
    );
  } else marks.push(emptyBlock("context", box, decodedLetter.context.length, cell));
  if (stage.letter > 0) {
    marks.push(
      arrow("into", contextX, rows.context - 3, contextX, rows.states + block.height + 5, "value"),
      arrow("writes", contextX, rows.states - 4, contextX, rows.output + letterBoxHeight + 3, "query"),
    );
  }
  return marks;
}
