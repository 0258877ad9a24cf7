import { visibleText } from "@qkv/core";
import type { Output } from "./io.js";

/** A line that is rewritten in place. */
export type ProgressLine = {
  /** @param done - Fraction from 0 to 1; undefined if the total is unknown. */
  show(done: number | undefined, text: string): void;
  /** Removes the line. */
  clear(): void;
};

/** A progress bar on a terminal. Writes nothing to a file or a pipe. */
export function progressLine(output: Output): ProgressLine {
  if (!output.isTTY) return { show: () => {}, clear: () => {} };
  const erase = "\r\u001B[2K";
  const write = (sequence: string) => (output.control ? output.control(sequence) : output.write(sequence));
  let shown = false;
  return {
    show(done, text) {
      const filled = Math.round((done ?? 0) * width);
      const bar = done === undefined ? "" : `[${"#".repeat(filled)}${".".repeat(width - filled)}] `;
      write(`${erase}${bar}${visibleText(text)}`);
      shown = true;
    },
    clear() {
      if (shown) write(erase);
      shown = false;
    },
  };
}

const width = 24;
