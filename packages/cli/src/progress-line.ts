import { visibleText } from "@qkv/core";
import type { Output } from "./io.js";

/** A line that is written over itself. */
export type ProgressLine = {
  /** @param done - From 0 to 1; undefined where the end is not known. */
  show(done: number | undefined, text: string): void;
  /** Removes the line. */
  clear(): void;
};

/** A progress bar on a terminal, and nothing at all elsewhere: a file or a pipe gets no half lines. */
export function progressLine(output: Output): ProgressLine {
  if (!output.isTTY) return { show: () => {}, clear: () => {} };
  const erase = "\r\u001B[2K";
  const put = (sequence: string) => (output.control ? output.control(sequence) : output.write(sequence));
  let shown = false;
  return {
    show(done, text) {
      const filled = Math.round((done ?? 0) * width);
      const bar = done === undefined ? "" : `[${"#".repeat(filled)}${".".repeat(width - filled)}] `;
      put(`${erase}${bar}${visibleText(text)}`);
      shown = true;
    },
    clear() {
      if (shown) put(erase);
      shown = false;
    },
  };
}

const width = 24;
