import { labelWidth } from "./picture.js";

/** The beginning of a text that fits into a width, with an ellipsis where it is cut. */
export function fittedLabel(text: string, width: number): string {
  if (labelWidth([text]) <= width) return text;
  const letters = [...text];
  while (letters.length > 1 && labelWidth([`${letters.join("")}…`]) > width) letters.pop();
  return `${letters.join("")}…`;
}
