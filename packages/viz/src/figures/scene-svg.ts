import { picture } from "../picture.js";
import { joinSvg, svg, type Svg } from "../svg.js";
import type { Figure, FigureChoices } from "./figure.js";
import type { Mark, Scene } from "./mark.js";
import { markNodes, type MarkNode } from "./mark-nodes.js";
import { moment, player } from "./player.js";

/**
 * A scene as SVG text, a picture like those of `@qkv/viz` in the theme of the page. `ariaLabel` of a mark is its SVG
 * `<title>`, which `tableOf` reads.
 *
 * @example
 * ```ts
 * import { tableOf } from "@qkv/viz";
 * import { sceneSvg } from "@qkv/viz/figures";
 *
 * const dot = { key: "dot", kind: "circle", x: 9, y: 9, radius: 5, fill: "key", ariaLabel: "dot: 5" } as const;
 * const svg = sceneSvg({ width: 18, height: 18, marks: [dot], description: "A dot." }, "Dot");
 * tableOf(svg).rows; // => [{ name: "dot", value: "5" }]
 * ```
 */
export function sceneSvg({ width, height, marks, description }: Scene, title: string): string {
  return picture({ width, height, title, description, body: inLayers(marks).map(drawMark) });
}

/**
 * The SVG of one moment of a figure, for a page without scripts: its initial moment, or another one.
 *
 * @param options - `width`: in pixels, default 1120. `choices`: different from the initial ones. `step`, by id, and
 *   `progress`, default 1: the moment.
 *
 * @example
 * ```ts
 * import { figureSvg, type Figure } from "@qkv/viz/figures";
 *
 * const dots: Figure<number, Record<string, never>> = {
 *   name: "dots", title: "Dots", caption: "Dots.", initial: {},
 *   steps: () => [{ id: "all", chapter: "All", title: "Dots", text: "Dots.", milliseconds: 1 }],
 *   scene: (count, _, __, width) => ({
 *     width, height: 20, description: `${count} dots.`,
 *     marks: Array.from({ length: count }, (_, i) => (
 *       { key: `dot:${i}`, kind: "circle", x: 10 + 20 * i, y: 10, radius: 5, fill: "key" }
 *     )),
 *   }),
 *   controls: () => [],
 *   table: () => ({ columns: [], rows: [] }),
 * };
 * figureSvg(dots, 3).split("<circle").length - 1; // => 3
 * ```
 */
export function figureSvg<Model, Choices extends FigureChoices>(
  figure: Figure<Model, Choices>,
  model: Model,
  options: { width?: number; choices?: Partial<Choices>; step?: string; progress?: number } = {},
): string {
  const { width = 1120, choices, step, progress = 1 } = options;
  const { start, reduce } = player(figure);
  let state = start(model, choices);
  if (step !== undefined) state = reduce(state, { type: "seek", step, progress });
  return sceneSvg(figure.scene(state.model, state.choices, moment(state), width), figure.title);
}

/** Marks in painting order. */
export function inLayers(marks: readonly Mark[]): Mark[] {
  return [0, 1, 2].flatMap((layer) => marks.filter((mark) => (mark.layer ?? 0) === layer));
}

function drawMark(mark: Mark): Svg {
  return joinSvg(markNodes(mark).map((node, i) => drawNode(node, i === 0 ? mark.ariaLabel : undefined)));
}

function drawNode({ tag, attributes, text = "" }: MarkNode, ariaLabel: string | undefined): Svg {
  const title = ariaLabel === undefined ? "" : svg`<title>${ariaLabel}</title>`;
  const list = Object.entries(attributes).map(([name, value]) => svg` ${name}="${value}"`);
  const [open, close] = {
    rect: [svg`<rect`, svg`</rect>`],
    circle: [svg`<circle`, svg`</circle>`],
    text: [svg`<text`, svg`</text>`],
    path: [svg`<path`, svg`</path>`],
  }[tag] as [Svg, Svg];
  return svg`${open}${list}>${title}${text}${close}`;
}
