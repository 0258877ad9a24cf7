import { fill, pictureStyle } from "./palette.js";
import { joinSvg, svg, type Svg } from "./svg.js";

/** A drawing: its size in pixels, its body, and a title and description for screen readers. */
export type Drawing = {
  width: number;
  height: number;
  title: string;
  description: string;
  body: readonly Svg[];
};

/** The SVG text of a drawing, with its title, description, style sheet and background. Each part of the body has a line. */
export function picture({ width, height, title, description, body }: Drawing): string {
  const [w, h] = [Math.ceil(width), Math.ceil(height)];
  const lines = [
    svg`<svg xmlns="http://www.w3.org/2000/svg" class="qkv-picture" role="img" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}">`,
    svg`<title>${title}</title>`,
    svg`<desc>${description}</desc>`,
    svg`<style>${pictureStyle}</style>`,
    svg`<rect width="${w}" height="${h}" ${fill("paper")}/>`,
    ...body,
    svg`</svg>`,
  ];
  return joinSvg(lines, "\n").text;
}

/** The name of a picture, drawn at its top, if it has one. */
export function heading(title: string | undefined): Svg[] {
  return title
    ? [svg`<text x="12" y="24" ${fill("text")} font-size="14" font-weight="600">${title}</text>`]
    : [];
}

/**
 * Tells if a value is a picture: SVG text, as every function of this package returns it.
 *
 * @example
 * ```ts
 * import { bars, isPicture } from "@qkv/viz";
 *
 * isPicture(bars({ data: [1, 2], shape: [2] })); // => true
 * isPicture("a sentence"); // => false
 * ```
 */
export function isPicture(value: unknown): value is string {
  return typeof value === "string" && /^<svg[\s>]/.test(value) && value.trimEnd().endsWith("</svg>");
}

/** Estimated width of the longest label, in pixels: without a DOM, text cannot be measured. */
export function labelWidth(labels: readonly string[]): number {
  const widths = labels.map((label) => [...label].reduce((sum, letter) => sum + letterWidth(letter), 0));
  return Math.max(0, ...widths);
}

/** At 12 pixels, in the wider of the usual fonts. */
function letterWidth(letter: string): number {
  if (letter > "\u2e80") return 12;
  if (/[mwMW@%]/.test(letter)) return 11;
  return /[ .,:;'!|()[\]fijlrtI]/.test(letter) ? 4.5 : 7.2;
}

/** Estimated width of a picture's title, at the size of {@link heading}. */
export function titleWidth(title: string | undefined): number {
  return title ? 24 + 1.3 * labelWidth([title]) : 0;
}

/** A coordinate as text, rounded to a hundredth of a pixel. */
export const px = (value: number): number => Number(value.toFixed(2));
