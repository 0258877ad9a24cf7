import { labelWidth } from "../../picture.js";

/** Rectangle of a part of the picture, without its height. Unit: pixels. */
export type Place = { x: number; y: number; width: number; phone: boolean };

/** Width of the row names at the left. Unit: pixels. */
export const gutterWidth = ({ phone }: { phone: boolean }): number => (phone ? 66 : 96);

/** Font size of numbers and of names of rows. */
export const smallFontSize = 11;

/** A text cut to a width in pixels, with an ellipsis if it is cut. */
export function fitText(text: string, width: number, size: number): string {
  const textWidth = (some: string) => (labelWidth([some]) * size) / 12;
  if (textWidth(text) <= width) return text;
  const letters = [...text];
  while (letters.length > 1 && textWidth(`${letters.join("")}…`) > width) letters.pop();
  return `${letters.join("")}…`;
}
