import { labelWidth } from "../picture.js";

/** Breaks a text between words into lines of a width in pixels. Widths are estimated, as text cannot be measured without a DOM. */
export function wrapText(text: string, width: number, size = 12): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && (labelWidth([longer]) * size) / 12 > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}
