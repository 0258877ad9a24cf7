import { hatch } from "../hatch.js";
import { light, type ThemeName } from "../palette.js";
import { px } from "../picture.js";
import type { Mark } from "./mark.js";

/** One SVG element, from which `sceneSvg`, `sceneView` and `animatedSvg` draw. */
export type MarkNode = {
  /** Unique in the scene. A mark may have several elements. */
  key: string;
  tag: "rect" | "circle" | "text" | "path";
  attributes: Readonly<Record<string, string | number>>;
  text?: string;
};

const fonts = { serif: "ui-serif,Georgia,serif", mono: "ui-monospace,monospace" };

/** The elements of a mark in painting order: its shape, its hatching, its letters. */
export function markNodes(mark: Mark): MarkNode[] {
  const { key, kind, x, y, width = 0, height = 0, radius = 0, text } = mark;
  const nodes: MarkNode[] = [];
  const geometry: Record<string, string | number> = {};
  if (kind === "rect") {
    Object.assign(geometry, {
      x: px(x),
      y: px(y),
      width: px(Math.max(0, width)),
      height: px(Math.max(0, height)),
    });
    if (radius) geometry["rx"] = px(radius);
  } else if (kind === "circle") {
    Object.assign(geometry, { cx: px(x), cy: px(y), r: px(Math.max(0, radius)) });
  } else if (kind === "path") {
    geometry["d"] = mark.d ?? "";
    if (x || y) geometry["transform"] = `translate(${px(x)} ${px(y)})`;
  }
  if (kind === "text")
    return [{ key, tag: "text", attributes: letters(mark, x, y, mark.fill), text: text ?? "" }];

  nodes.push({ key, tag: kind, attributes: { ...geometry, ...paint(mark) } });
  if (kind === "rect" && mark.hatch) {
    const attributes: MarkNode["attributes"] = {
      d: hatch(x, y, width, height),
      ...paint({ stroke: "hatch", opacity: mark.hatch * (mark.opacity ?? 1) }),
      "pointer-events": "none",
    };
    nodes.push({ key: `${key}/hatch`, tag: "path", attributes });
  }
  if (text) {
    const [middle, center] = kind === "rect" ? [x + width / 2, y + height / 2] : [x, y];
    const size = mark.size ?? 12;
    const attributes = {
      ...letters({ ...mark, anchor: "middle" }, middle, center + 0.35 * size, mark.textFill),
      "pointer-events": "none",
    };
    nodes.push({ key: `${key}/text`, tag: "text", attributes, text });
  }
  return nodes;
}

function letters(
  mark: Mark,
  x: number,
  y: number,
  color: ThemeName = "text",
): Record<string, string | number> {
  const { anchor, size = 12, weight, font, opacity } = mark;
  const attributes: Record<string, string | number> = { x: px(x), y: px(y), "font-size": px(size) };
  if (anchor && anchor !== "start") attributes["text-anchor"] = anchor;
  if (weight && weight !== 400) attributes["font-weight"] = weight;
  if (font && font !== "sans") attributes["font-family"] = fonts[font];
  if (mark.rotate && mark.kind === "text")
    attributes["transform"] = `rotate(${px(mark.rotate)} ${px(x)} ${px(y)})`;
  return { ...attributes, ...paint({ fill: color, opacity }) };
}

/** Attributes that color an element in the theme. Viewers without CSS custom properties use the light theme. */
function paint(
  mark: Pick<Mark, "fill" | "stroke" | "strokeWidth" | "fillOpacity" | "opacity" | "dash">,
): Record<string, string | number> {
  const { fill, stroke, strokeWidth = 1, fillOpacity = 1, opacity = 1, dash } = mark;
  const classes = [fill && `qkv-fill-${fill}`, stroke && `qkv-line-${stroke}`].filter(Boolean);
  const attributes: Record<string, string | number> = { fill: fill ? light[fill] : "none" };
  if (classes.length > 0) attributes["class"] = classes.join(" ");
  if (fill && fillOpacity !== 1) attributes["fill-opacity"] = opacityText(fillOpacity);
  if (stroke) {
    attributes["stroke"] = light[stroke];
    if (strokeWidth !== 1) attributes["stroke-width"] = px(strokeWidth);
    if (dash) attributes["stroke-dasharray"] = "3 3";
  }
  if (opacity !== 1) attributes["opacity"] = opacityText(opacity);
  return attributes;
}

const opacityText = (value: number) => Number(Math.min(1, Math.max(0, value)).toFixed(3));
