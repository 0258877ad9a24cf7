import { labelWidth } from "../../picture.js";
import type { Mark } from "../mark.js";
import { rowMiddle, type Row } from "./row.js";
import { textMark } from "./text-mark.js";
import {
  equals,
  l2Norm,
  partId,
  partText,
  quoted,
  rootMeanSquare,
  vector,
  type Chosen,
  type TransformerBlockModel,
} from "./model.js";
import { partBox } from "./part-box.js";
import type { Shared } from "./shared.js";
import { largestPerBar, percentileScale, signedBar, sizeBar, vectorBars, type Box } from "./vector-bars.js";
import { fixed, signed } from "../fixed.js";

/** A row: its box, its vector, the norm of the vector, and its contribution to the logit. */
export function rowMarks(row: Row, shared: Shared): Mark[] {
  const lit = !shared.view.lit || shared.view.lit.includes(row.key);
  const opacity = lit ? 1 : 0.55;
  const box = partBox(row, shared, row.seen ? opacity : 0.45);
  return [
    ...box,
    ...(row.kind === "logit" ? logitMarks(row, shared, opacity) : vectorMarks(row, shared, opacity)),
  ];
}

/** Name of the vector of a row. */
function vectorName({ kind, k }: Row): string {
  switch (kind) {
    case "embedding":
      return "the embedding";
    case "stream":
      return k === 0 ? "the stream after the embedding" : `the stream after ${partText(partId(k - 1))}`;
    case "norm":
      return `the stream after the norm, as ${partText(partId(k))} reads it`;
    case "final":
      return "the stream after the final norm";
    default:
      return `what ${partText(partId(k))} adds`;
  }
}

/** The vector of the followed token in a row. */
function rowVector(
  { stream, normed, writes }: TransformerBlockModel,
  { t }: Chosen,
  { kind, k }: Row,
): number[] {
  if (kind === "embedding" || kind === "stream") return vector(stream[k]!, t);
  return vector((kind === "norm" || kind === "final" ? normed : writes)[k]!, t);
}

function vectorMarks(row: Row, shared: Shared, opacity: number): Mark[] {
  const { model, chosen, layout, scales, focus } = shared;
  const { kind, k, key, seen, height } = row;
  const { vector: column, phone } = layout;
  const values = rowVector(model, chosen, row);
  const noted = phone && height > 30;
  const barHeight = Math.min(34, (noted ? height - 17 : height) - (height > 24 ? 6 : 2));
  const y = noted ? row.y + 3 : rowMiddle(row) - barHeight / 2;
  const box = { x: column.x, y, width: column.width, height: barHeight };
  if (!seen)
    return [
      { key: `${key}/coming`, kind: "rect", ...box, radius: 3, stroke: "hatch", dash: true, opacity: 0.5 },
    ];
  const normed = kind === "norm" || kind === "final";
  const name = vectorName(row);
  const scale = (normed ? undefined : scales.stream) ?? percentileScale([values]);
  const home =
    kind === "embedding" ? `token:${chosen.t}` : kind === "stream" ? `${streamHome(row)}/up` : `${key}/box`;
  const color = kind === "attention" ? ("value" as const) : ("text" as const);
  const marks = [
    ...vectorBars(values, box, { key, name, scale, color, opacity, focus, home }),
    ...numberMarks(row, values, box, shared),
  ];
  const part = kind === "attention" || kind === "mlp" ? k + 1 : kind === "embedding" ? 0 : undefined;
  const adds = part === undefined ? undefined : chosen.target.parts[part]!;
  const sizeText = normed ? `rms ${fixed(rootMeanSquare(values))}` : fixed(l2Norm(values));
  if (noted) {
    const sum = adds === undefined ? "" : ` · ${quoted(chosen.target.text)} ${signed(adds)}`;
    const text = `${normed ? "" : "norm "}${sizeText}${sum}`;
    return [
      ...marks,
      textMark(`${key}/note`, column.x, row.y + height - 5, text, { size: 11, fill: "quiet", opacity }),
    ];
  }
  if (phone) return marks;
  return [
    ...marks,
    ...numbers({ row, name, values, normed, sizeText, adds, opacity }, { chosen, layout, scales }),
  ];
}

/** The number at the focused index, in every row. */
function numberMarks(
  row: Row,
  values: readonly number[],
  box: Box,
  { model, chosen, view, focus }: Shared,
): Mark[] {
  const place = /^(?:embedding|stream|norm|attention|mlp|final):\d+:(\d+)$/.exec(focus ?? "");
  const { bars } = largestPerBar(values);
  const bar = place && bars[Number(place[1])];
  if (!bar) return [];
  const pitch = box.width / bars.length;
  const x = box.x + Number(place[1]) * pitch;
  // The stream is the sum of the vectors above.
  const points = view.zoom === "block" ? 1 : 2;
  const { kind, k } = row;
  const sums = kind === "stream" && k >= points && (view.zoom === "model" || k > 2 * chosen.l);
  const terms = [model.stream[k - points], ...model.writes.slice(k - points, k)].map(
    (frame) => frame && vector(frame, chosen.t)[bar.index]!,
  );
  const sign = sums ? `${equals(terms as number[], bar.value, 3)} ` : "";
  const text = `${sign}${fixed(bar.value, 3)}`;
  const width = labelWidth([text]) + 8;
  const left = x + pitch + width + 4 > box.x + box.width;
  const plate = { x: left ? x - width - 4 : x + pitch + 4, y: box.y + box.height / 2 - 9 };
  return [
    {
      key: `${row.key}/guide`,
      kind: "rect",
      x,
      y: row.y,
      width: Math.max(2, pitch),
      height: row.height,
      fill: "weight",
      fillOpacity: 0.2,
    },
    {
      key: `${row.key}/number`,
      kind: "rect",
      ...plate,
      width,
      height: 18,
      radius: 4,
      fill: "paper",
      stroke: "rule",
      text,
      weight: 600,
      layer: 2,
    },
  ];
}

/** Key of the mark that a point of the stream grows out of. */
const streamHome = ({ k }: Row) => (k === 0 ? "embedding:0" : `${k % 2 ? "attention" : "mlp"}:${k - 1}`);

type Written = {
  row: Row;
  name: string;
  values: readonly number[];
  normed: boolean;
  sizeText: string;
  adds: number | undefined;
  opacity: number;
};

/** The columns of numbers: the norm of the vector, and its contribution to the logit. */
function numbers(
  { row, name, values, normed, sizeText, adds, opacity }: Written,
  { chosen, layout: { norm, logit }, scales }: Pick<Shared, "chosen" | "layout" | "scales">,
): Mark[] {
  const { key, height } = row;
  const middle = rowMiddle(row);
  const barHeight = Math.min(12, height - 6);
  const marks: Mark[] = normed
    ? [
        textMark(`${key}/size-text`, norm.x + norm.width, middle + 4, sizeText, {
          anchor: "end",
          size: 11,
          fill: "quiet",
          opacity,
        }),
      ]
    : sizeBar(
        key,
        l2Norm(values),
        { ...norm, y: middle - barHeight / 2, height: barHeight },
        { scale: scales.norm, name, opacity },
      );
  if (adds === undefined) return marks;
  const place = { ...logit, y: middle - barHeight / 2, height: barHeight };
  const ariaLabel = `${name}, in the logit of ${quoted(chosen.target.text)}: ${signed(adds)}`;
  const bar = signedBar(`${key}/adds`, adds, place, {
    scale: scales.logit,
    text: signed(adds),
    ariaLabel,
    cell: `${key}/adds`,
    opacity,
  });
  return [...marks, ...bar];
}

/** The sum of all contributions, which is the logit. */
function logitMarks(row: Row, { model, chosen: { target }, layout }: Shared, lit: number): Mark[] {
  const { vector: column, logit, phone } = layout;
  const opacity = row.seen ? lit : 0;
  const middle = rowMiddle(row);
  const word = quoted(target.text);
  const result = fixed(target.logit);
  const bias = Math.abs(target.rest) < 0.005 ? "" : `, ${signed(target.rest)} of it from the norm’s bias`;
  const text = phone
    ? `logit of ${word}: ${result}`
    : `final vector · row of ${word}, one of ${model.vocabSize.toLocaleString("en-US")} = ${result}${bias}`;
  const ariaLabel = `logit of ${word}: ${result}`;
  const marks: Mark[] = [
    textMark("logit/text", column.x, middle + 4, text, { opacity, ariaLabel, cell: "logit:0" }),
  ];
  if (phone) return marks;
  return [
    ...marks,
    {
      key: "logit/line",
      kind: "path",
      x: logit.x,
      y: row.y + 2,
      d: `M0 0H${Math.round(logit.width)}`,
      stroke: "quiet",
      opacity,
    },
    textMark(
      "logit/sum",
      logit.x + logit.width,
      middle + 4,
      `sum ${equals([...target.parts, target.rest], target.logit, 2)} ${result}`,
      {
        anchor: "end",
        weight: 600,
        opacity,
      },
    ),
  ];
}
