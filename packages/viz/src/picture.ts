import { escapeText } from "./escape-text.js";
import { fill, pictureStyle } from "./palette.js";

/** A drawing with its size in pixels, and what it says to those who do not see it. */
export type Drawing = { width: number; height: number; title: string; description: string; body: string };

/** Makes the SVG text: a titled, described image on paper, with its style sheet. */
export function picture({ width, height, title, description, body }: Drawing): string {
  const [w, h] = [Math.ceil(width), Math.ceil(height)];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" class="qkv-picture" role="img" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}">\n` +
    `<title>${escapeText(title)}</title>\n<desc>${escapeText(description)}</desc>\n<style>${pictureStyle}</style>\n` +
    `<rect width="${w}" height="${h}" ${fill("paper")}/>\n${body}\n</svg>`
  );
}

/** The name of a picture, drawn at its top. */
export function heading(title: string): string {
  return `<text x="12" y="24" ${fill("text")} font-size="14" font-weight="600">${escapeText(title)}</text>`;
}

/**
 * Whether a value is a picture: SVG text, as every function of this package returns it.
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

/** How wide a label will be, in pixels: a guess, because nothing here can measure letters. */
export function labelWidth(labels: readonly string[]): number {
  return Math.max(0, ...labels.map((label) => 6.6 * [...label].length));
}

/** How wide a picture must be for its name: a guess too, at the size of {@link heading}. */
export function titleWidth(title: string | undefined): number {
  return title ? 24 + 8.2 * [...title].length : 0;
}

/** A coordinate, to a hundredth of a pixel. */
export const px = (value: number) => String(Number(value.toFixed(2)));
