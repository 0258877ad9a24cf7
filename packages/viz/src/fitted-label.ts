import { labelWidth } from "./picture.js";

/** A text cut to a width in pixels, with an ellipsis if it is cut. */
export function fittedLabel(text: string, width: number): string {
  if (labelWidth([text]) <= width) return text;
  const letters = [...text];
  while (letters.length > 1 && labelWidth([`${letters.join("")}…`]) > width) letters.pop();
  return `${letters.join("")}…`;
}
