import { checks } from "@qkv/core";
import { checkList, checkSizes, checkTexts, type PictureData } from "./check-data.js";
import { checkWeights } from "./check-weights.js";
import { checkMarks, keyValueHead, markNames, marksText, outOfWindow, type HeadMarks } from "./head-marks.js";
import { hatch } from "./hatch.js";
import { numberText } from "./number-text.js";
import { fill, stroke } from "./palette.js";
import { heading, labelWidth, picture, px } from "./picture.js";
import { svg, type Svg } from "./svg.js";

/** Options of {@link modelView}. */
export type ModelViewOptions = {
  /** Marks of each layer, one entry for each. Default: nothing. */
  marks?: readonly HeadMarks[];
  /** The name of the picture, drawn above it. */
  title?: string;
  /** The side of one map. Unit: pixels. Default 56. */
  size?: number;
};

/**
 * Draws all heads of a model at a glance: a row for each layer, a small map for each head, ink for weight from 0 to 1.
 * A bar below the maps spans heads that share keys and values; a key outside of the layer's window is hatched; a column
 * at the right of a map is the share that a learned sink takes.
 *
 * @param layers - The weights of each layer, `[B, H, T, S]`, of which the first batch is drawn.
 * @returns SVG text. Each map holds its name and its largest weight as an SVG `<title>`.
 * @throws {ShapeError} If the weights of a layer are not `[B, H, T, S]`.
 * @throws {ArgumentError} If there is no layer, or the marks do not fit.
 * @see "A Multiscale Visualization of Attention in the Transformer Model" (2019), arXiv:1906.05714, the model view
 *
 * @example
 * ```ts
 * import { modelView } from "@qkv/viz";
 *
 * const layer = { data: [1, 0, 0.5, 0.5, 1, 0, 0.25, 0.75], shape: [1, 2, 2, 2] };
 * const svg = modelView([layer, layer], { marks: [{}, { numKvHeads: 1, window: 1 }] });
 * svg.includes("2 heads, 1 of keys · window 1"); // => true
 * ```
 */
export function modelView(layers: readonly PictureData[], options: ModelViewOptions = {}): string {
  const check = checks("modelView");
  const { title, size = 56, marks: given } = check.options(options, ["marks", "title", "size"]);
  checkList(check, "layers", layers, "a list of the weights of each layer");
  const marks = given === undefined ? layers.map((): HeadMarks => ({})) : given;
  checkList(check, "marks", marks, "a list with the marks of each layer");
  checkTexts(check, { title });
  checkSizes(check, { size });
  if (layers.length === 0 || marks.length !== layers.length) {
    check.refuse({
      argument: layers.length === 0 ? "layers" : "marks",
      received: layers.length === 0 ? "no layer" : `${marks.length} entries`,
      expected:
        layers.length === 0 ? "the weights of one layer or more" : `${layers.length}, one for each layer`,
      fix: "give the weights of every layer in order, and marks for each or for none.",
    });
  }
  const layerWeights = layers.map((layer, l) => {
    const weights = checkWeights(check, layer, {
      ranks: [4],
      expected: "[B, H, T, S], each axis 1 or more",
    });
    checkMarks(check, weights.H, check.options(marks[l] ?? null!, markNames, `marks[${l}]`));
    return weights;
  });
  const texts = layerWeights.map(({ H }, l) => marksText(H, marks[l]!));
  const [gap, left, top] = [10, 20 + labelWidth([...texts, "layer 00"]), title ? 40 : 14];
  const rowHeight = size + 26;
  const maxHeads = Math.max(...layerWeights.map(({ H }) => H));
  const sinkWidth = marks.some(({ sink }) => sink) ? 10 : 0;
  const rows = layerWeights.map(({ data, H, T, S }, l) => {
    const layerMarks = marks[l]!;
    const y = top + l * rowHeight;
    const [w, h] = [size / S, size / T];
    const maps = Array.from({ length: H }, (_, head) => {
      const x = left + head * (size + sinkWidth + gap);
      const [cells, hatches]: [Svg[], string[]] = [[], []];
      let [peak, at] = [-1, 0];
      const sinks: Svg[] = [];
      for (let t = 0; t < T; t++) {
        let total = 0;
        for (let s = 0; s < S; s++) {
          const n = (head * T + t) * S + s;
          const weight = data[n]!;
          total += weight;
          if (weight > peak) [peak, at] = [weight, t * S + s];
          const place = svg`x="${px(x + s * w)}" y="${px(y + t * h)}" width="${px(w)}" height="${px(h)}"`;
          if (weight > 0) cells.push(svg`<rect ${place} fill-opacity="${Math.min(1, weight).toFixed(3)}"/>`);
          else if (outOfWindow(S - T + t, s, layerMarks))
            hatches.push(hatch(x + s * w, y + t * h, Math.min(w, h)));
        }
        if (layerMarks.sink) {
          const share = Math.max(0, 1 - total);
          sinks.push(
            svg`<rect x="${px(x + size + 3)}" y="${px(y + t * h)}" width="6" height="${px(h)}" fill-opacity="${Math.min(1, share).toFixed(3)}"/>`,
          );
        }
      }
      const kv = keyValueHead(head, H, layerMarks);
      const name = `layer ${l}, head ${head}, keys and values of head ${kv}: at most ${numberText(peak)}, of query ${Math.floor(at / S)} and key ${at % S}`;
      return [
        ...(hatches.length > 0 ? [svg`<path d="${hatches.join("")}" ${stroke("hatch")}/>`] : []),
        svg`<g ${fill("weight")}>${cells}</g>`,
        ...(layerMarks.sink ? [svg`<g ${fill("cost")}>${sinks}</g>`] : []),
        svg`<rect x="${px(x)}" y="${px(y)}" width="${px(size)}" height="${px(size)}" fill="none" pointer-events="all" ${stroke("rule")}><title>${name}</title></rect>`,
      ];
    });
    const groups = layerMarks.numKvHeads ?? H;
    const bars =
      groups === H
        ? []
        : Array.from({ length: groups }, (_, kv) => {
            const x = left + kv * (H / groups) * (size + sinkWidth + gap);
            const width = (H / groups) * (size + sinkWidth + gap) - gap;
            return svg`<rect x="${px(x)}" y="${px(y + size + 5)}" width="${px(width)}" height="4" ${fill("key")}><title>keys and values ${kv}, of heads ${kv * (H / groups)} to ${(kv + 1) * (H / groups) - 1}</title></rect>`;
          });
    return [
      svg`<text x="12" y="${px(y + 14)}" ${fill("text")}>layer ${l}</text>`,
      svg`<text x="12" y="${px(y + 32)}" ${fill("quiet")}>${texts[l]!}</text>`,
      ...maps.flat(),
      ...bars,
    ];
  });
  return picture({
    width: Math.max(left + maxHeads * (size + sinkWidth + gap) + 12, title ? labelWidth([title]) + 40 : 0),
    height: top + layers.length * rowHeight,
    title: title ?? "All heads",
    description: `${layers.length} ${layers.length === 1 ? "layer" : "layers"}: ${texts.map((text, l) => `layer ${l} has ${text}`).join("; ")}.`,
    body: [...heading(title), ...rows.flat()],
  });
}
