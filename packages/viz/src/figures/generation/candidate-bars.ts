import { easeCubicInOut } from "d3-ease";
import { px } from "../../picture.js";
import type { Mark } from "../mark.js";
import { fitText, gutterWidth, smallFontSize, type Place } from "./layout.js";
import { shownToken, type GenerationModel } from "./model.js";
import type { Stage } from "./steps.js";
import { progressWithin } from "../progress-within.js";
import { keptSum, percentTexts } from "./candidate-percents.js";
import { percent } from "../percents.js";

const pitch = 22;

/** Address of a candidate. A press pins it. */
export const candidateCell = (token: number, index: number): string => `take:${token}:${index}`;

/**
 * Candidates for the next token, one row each, in three columns of bars: softmax of the logits, with the temperature, and
 * after top-p. All columns have one scale, and the bars of each grow out of those of the previous column.
 */
export function candidateBars(
  model: GenerationModel,
  stage: Stage,
  focus: string | undefined,
  place: Place,
): { marks: Mark[]; height: number } {
  const { phone, x, y, width } = place;
  const now = model.generated[stage.token]!;
  const { candidates, others } = now;
  const gutter = gutterWidth(place);
  const gap = phone ? 4 : 28;
  const block = (width - gutter - 2 * gap) / 3;
  const columnX = (index: number) => x + gutter + index * (block + gap);
  const max = Math.max(...candidates.map((one) => Math.max(one.probability, one.tempered, one.kept)));
  const scale = (part: number) => (part / max) * (block - (phone ? 42 : 50));
  const top = y + 22;
  const marks: Mark[] = [];

  const exact = candidates.some((one) => one.exact !== undefined);
  const [t, p] = [stage.temperature, stage["top-p"]];
  const shown = [stage.predict > 0, t > 0, p > 0];
  const heads = [
    phone ? `model${exact ? " │exact" : ""}` : `by the model${exact ? "; line: exact cache" : ""}`,
    phone ? `temp. ${model.temperature}` : `with temperature ${model.temperature}`,
    phone || model.topP >= 1
      ? `top-p ${model.topP}`
      : `top-p ${model.topP}: rest cut, then ÷ ${keptSum(now).toFixed(3)}`,
  ];
  heads.forEach((text, i) =>
    marks.push({
      key: `head:${i}`,
      kind: "text",
      x: columnX(i),
      y: y + 12,
      text,
      size: phone ? smallFontSize : 12,
      weight: 600,
      fill: shown[i] ? "text" : "quiet",
      opacity: shown[i] ? 1 : 0.6,
    }),
  );

  marks.push({
    key: "head",
    kind: "text",
    x,
    y: y + 12,
    text: phone ? "next" : "next token",
    size: phone ? smallFontSize : 12,
    weight: 600,
  });
  const list = percentTexts(now);
  const drawn = stage.draw >= 1 || (now.pinned && stage.draw > 0);
  // Until the bars appear, a line is drawn for each.
  const empty = 1 - progressWithin(stage.predict, 0, 0.3);
  for (let row = 0; row < candidates.length && empty > 0; row++) {
    const line = { kind: "path", x: 0, y: top + row * pitch + 10, stroke: "rule" } as const;
    const d = [0, 1, 2].map((index) => `M${px(columnX(index))} 0h${px(block)}`).join("");
    marks.push({ ...line, key: `empty:${row}`, d, opacity: 0.7 * empty });
  }
  candidates.forEach((one, row) => {
    const rowY = top + row * pitch;
    const word = shownToken(one.text);
    const cell = candidateCell(stage.token, row);
    const isTaken = drawn && row === now.taken;
    const lit = focus === cell;
    const cut = one.kept === 0;
    const opacity = progressWithin(stage.predict, 0, 0.3);
    marks.push({
      key: `candidate:${row}:label`,
      kind: "rect",
      x,
      y: rowY + 1,
      width: gutter - 8,
      height: pitch - 3,
      radius: 4,
      fill: isTaken ? "text" : "rule",
      fillOpacity: isTaken ? 0.9 : lit ? 0.9 : 0.45,
      text: fitText(word, gutter - 14, phone ? smallFontSize : 12),
      size: phone ? smallFontSize : 12,
      textFill: isTaken ? "paper" : "text",
      opacity: stage.predict > 0 ? opacity : 0,
      ariaLabel: `take “${word}”: ${list.model[row]!} by the model, ${list.tempered[row]!} with the temperature, ${cut ? "cut by top-p" : `${list.kept[row]!} after top-p`}`,
      cell,
      layer: 1,
    });
    const bar = (index: number, at: number, barWidth: number, more: Partial<Mark> = {}): Mark => ({
      key: `candidate:${row}:${index}`,
      kind: "rect",
      x: at,
      y: rowY + 3,
      width: barWidth,
      height: pitch - 7,
      radius: 2,
      fill: "weight",
      fillOpacity: isTaken ? 0.95 : 0.6,
      cell,
      ...more,
    });
    const number = (index: number, at: number, text: string, opacity: number, quiet = false): Mark => ({
      key: `candidate:${row}:${index}:number`,
      kind: "text",
      x: at + 5,
      y: rowY + 14.5,
      text,
      size: smallFontSize,
      fill: quiet ? "quiet" : "text",
      weight: isTaken && !quiet ? 600 : 400,
      opacity,
      layer: 1,
    });
    const probabilityText = (source: string, percent: string) => `“${word}” ${source}: ${percent}`;
    if (stage.predict > 0) {
      const barWidth = scale(one.probability) * easeCubicInOut(progressWithin(stage.predict, 0.1, 0.9));
      marks.push(
        bar(0, columnX(0), barWidth, { ariaLabel: probabilityText("by the model", list.model[row]!) }),
      );
      marks.push(number(0, columnX(0) + barWidth, list.model[row]!, progressWithin(stage.predict, 0.7, 1)));
      if (one.exact !== undefined)
        marks.push({
          key: `candidate:${row}:exact`,
          kind: "path",
          x: columnX(0) + scale(one.exact),
          y: rowY + 1,
          d: `M0 0V${pitch - 3}`,
          stroke: "text",
          strokeWidth: 2,
          opacity: progressWithin(stage.predict, 0.7, 1),
          ariaLabel: probabilityText("with an exact cache", percent(one.exact)),
          layer: 2,
        });
    }
    if (t > 0) {
      const [slide, grow] = [
        easeCubicInOut(progressWithin(t, 0, 0.5)),
        easeCubicInOut(progressWithin(t, 0.5, 1)),
      ];
      const at = columnX(0) + slide * (columnX(1) - columnX(0));
      const barWidth = scale(one.probability + grow * (one.tempered - one.probability));
      marks.push(
        bar(1, at, barWidth, { ariaLabel: probabilityText("with the temperature", list.tempered[row]!) }),
      );
      marks.push(number(1, at + barWidth, list.tempered[row]!, progressWithin(t, 0.8, 1)));
    }
    if (p > 0) {
      const [slide, grow] = [
        easeCubicInOut(progressWithin(p, 0, 0.4)),
        easeCubicInOut(progressWithin(p, 0.65, 1)),
      ];
      const at = columnX(1) + slide * (columnX(2) - columnX(1));
      const hatch = cut ? progressWithin(p, 0.4, 0.6) : 0;
      const barWidth = scale(cut ? one.tempered : one.tempered + grow * (one.kept - one.tempered));
      const faded: Partial<Mark> = cut
        ? { hatch, fillOpacity: 0.6 * (1 - hatch), stroke: "hatch", strokeWidth: hatch }
        : {};
      marks.push(
        bar(2, at, barWidth, {
          ariaLabel: cut ? `“${word}” is cut by top-p` : probabilityText("after top-p", list.kept[row]!),
          ...faded,
        }),
        number(2, at + barWidth, cut ? "cut" : list.kept[row]!, progressWithin(p, 0.8, 1), cut),
      );
    }
  });

  const rest = top + candidates.length * pitch;
  const count = others.count.toLocaleString("en-US");
  const otherTexts = [
    list.model.at(-1)!,
    list.tempered.at(-1)!,
    others.keptCount === 0
      ? "cut"
      : `${list.kept.at(-1)!}${phone ? "" : ` (${others.keptCount.toLocaleString("en-US")} kept)`}`,
  ];
  const opacities = [
    progressWithin(stage.predict, 0.7, 1),
    progressWithin(t, 0.8, 1),
    progressWithin(p, 0.8, 1),
  ];
  marks.push({
    key: "others",
    kind: "text",
    x,
    y: rest + 14,
    text: phone ? "others" : `${count} others`,
    size: smallFontSize,
    fill: "quiet",
    opacity: opacities[0]!,
    ariaLabel: `${count} other tokens: ${list.model.at(-1)!} by the model, ${others.keptCount} of them kept`,
  });
  marks.push({
    key: "sum",
    kind: "text",
    x,
    y: rest + 32,
    text: "sum",
    size: smallFontSize,
    fill: "quiet",
    opacity: opacities[0]!,
  });
  otherTexts.forEach((text, i) => {
    const base = {
      kind: "text",
      x: columnX(i) + 5,
      size: smallFontSize,
      fill: "quiet",
      opacity: opacities[i]!,
    } as const;
    marks.push({ ...base, key: `others:${i}`, y: rest + 14, text });
    marks.push({ ...base, key: `sum:${i}`, y: rest + 32, text: "100.0%" });
    marks.push({
      key: `sum:${i}:rule`,
      kind: "path",
      x: columnX(i),
      y: rest + 19.5,
      d: "M0 0H52",
      stroke: "rule",
      opacity: opacities[i]!,
    });
  });
  return { marks, height: rest + 36 - y };
}
