import { labelWidth } from "../picture.js";

/** Breaks a text between words into lines of a width, estimated as nothing here can measure letters. */
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
