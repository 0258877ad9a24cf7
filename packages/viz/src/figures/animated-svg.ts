import { pictureStyle } from "../palette.js";
import { joinSvg, svg, type Svg } from "../svg.js";
import type { Figure, FigureChoices } from "./figure.js";
import { fill } from "../palette.js";
import type { Scene } from "./mark.js";
import { markNodes, type MarkNode } from "./mark-nodes.js";
import { inLayers } from "./scene-svg.js";

/**
 * A figure as an animated SVG that repeats: for a README, a slide, a page without scripts. It has the marks of the page at a
 * few frames a second, and interpolates between them (SMIL).
 *
 * @param options - `width`: in pixels, default 960. `choices`: different from the initial ones. `framesPerSecond`: default 8.
 *   `chapter`: the only chapter to play. Default: all.
 *
 * @example
 * ```ts
 * import { animatedSvg, type Figure } from "@qkv/viz/figures";
 *
 * const dot: Figure<number, Record<string, never>> = {
 *   name: "dot", title: "A dot", caption: "It moves.", initial: {},
 *   steps: () => [{ id: "move", chapter: "Move", title: "It moves", text: "Once.", milliseconds: 1000 }],
 *   scene: (to, _, { progress }, width) => ({
 *     width, height: 20, description: "A dot that moves.",
 *     marks: [{ key: "dot", kind: "circle", x: 10 + progress * to, y: 10, radius: 5, fill: "query" }],
 *   }),
 *   controls: () => [],
 *   table: () => ({ columns: [], rows: [] }),
 * };
 * animatedSvg(dot, 100).includes('<animate attributeName="cx"'); // => true
 * ```
 */
export function animatedSvg<Model, Choices extends FigureChoices>(
  figure: Figure<Model, Choices>,
  model: Model,
  options: { width?: number; choices?: Partial<Choices>; framesPerSecond?: number; chapter?: string } = {},
): string {
  const { width = 960, framesPerSecond = 8, chapter } = options;
  const choices = { ...figure.initial, ...options.choices };
  const scenes: Scene[] = [];
  let milliseconds = 0;
  figure.steps(model, choices).forEach((each, step) => {
    if (chapter !== undefined && each.chapter !== chapter) return;
    const count = Math.max(2, Math.round((each.milliseconds * framesPerSecond) / 1000));
    for (let i = 1; i <= count; i++) {
      scenes.push(figure.scene(model, choices, { step, progress: i / count }, width));
    }
    milliseconds += each.milliseconds;
  });
  return animate(scenes, milliseconds, figure.title);
}

/** Attributes of one SVG element in each frame; undefined where it is not drawn. */
type Track = { node: MarkNode; frames: (MarkNode["attributes"] | undefined)[] };

function animate(scenes: readonly Scene[], milliseconds: number, title: string): string {
  // Text and colors of an element are not animated: a mark that changes them has several elements.
  const tracks = new Map<string, Track>();
  scenes.forEach(({ marks }, frame) => {
    for (const node of inLayers(marks).flatMap(markNodes)) {
      const key = JSON.stringify([node.key, node.tag, node.text, node.attributes["class"]]);
      let track = tracks.get(key);
      if (!track) tracks.set(key, (track = { node, frames: new Array(scenes.length).fill(undefined) }));
      track.frames[frame] = node.attributes;
    }
  });
  const width = Math.ceil(Math.max(...scenes.map((scene) => scene.width)));
  const height = Math.ceil(Math.max(...scenes.map((scene) => scene.height)));
  const duration = svg`dur="${Number((milliseconds / 1000).toFixed(2))}s" repeatCount="indefinite"`;
  return joinSvg(
    [
      svg`<svg xmlns="http://www.w3.org/2000/svg" class="qkv-picture" role="img" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
      svg`<title>${title}</title>`,
      svg`<desc>${scenes.at(-1)?.description ?? ""}</desc>`,
      svg`<style>${pictureStyle}</style>`,
      svg`<rect width="${width}" height="${height}" ${fill("paper")}/>`,
      ...[...tracks.values()].map((track) => drawTrack(track, duration)),
      svg`</svg>`,
    ],
    "\n",
  ).text;
}

function drawTrack({ node, frames }: Track, duration: Svg): Svg {
  const first = frames.find((frame) => frame !== undefined)!;
  const names = new Set(frames.flatMap((frame) => (frame ? Object.keys(frame) : [])));
  const animations: Svg[] = [];
  const shown = frames.map((frame) => (frame ? "visible" : "hidden"));
  if (shown.includes("hidden")) animations.push(animation("visibility", shown, "discrete", duration));
  for (const name of names) {
    let last = first[name] ?? (name.includes("opacity") ? 1 : "");
    const values = frames.map((frame) =>
      frame ? (last = frame[name] ?? (name.includes("opacity") ? 1 : last)) : last,
    );
    if (values.every((value) => value === values[0])) continue;
    // `transform` would need `<animateTransform>`, so it stays; paths that move change `d` instead.
    const smooth = values.every((value) => typeof value === "number");
    if (name !== "transform")
      animations.push(animation(name, values, smooth ? "linear" : "discrete", duration));
  }
  const list = Object.entries(first).map(([name, value]) => svg` ${name}="${value}"`);
  const inside = [...animations, svg`${node.text ?? ""}`];
  const tags = {
    rect: svg`<rect${list}>${inside}</rect>`,
    circle: svg`<circle${list}>${inside}</circle>`,
    text: svg`<text${list}>${inside}</text>`,
    path: svg`<path${list}>${inside}</path>`,
  };
  return tags[node.tag];
}

/** Animation of one attribute. Values within a run of equal values are left out. */
function animation(
  name: string,
  values: readonly (string | number)[],
  mode: "linear" | "discrete",
  duration: Svg,
): Svg {
  const last = values.length - 1;
  const keyframes = values
    .map((value, i) => ({ value, i }))
    .filter(
      ({ value, i }) =>
        i === 0 || i === last || value !== values[i - 1] || (mode === "linear" && value !== values[i + 1]),
    );
  const times = keyframes.map(({ i }) => Number((i / Math.max(1, last)).toFixed(4)));
  return svg`<animate attributeName="${name}" calcMode="${mode}" values="${keyframes.map(({ value }) => value).join(";")}" keyTimes="${times.join(";")}" ${duration}/>`;
}
