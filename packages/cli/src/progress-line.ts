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
  let shown = false;
  return {
    show(done, text) {
      const filled = Math.round((done ?? 0) * width);
      const bar = done === undefined ? "" : `[${"#".repeat(filled)}${".".repeat(width - filled)}] `;
      output.write(`\r\u001B[2K${bar}${text}`);
      shown = true;
    },
    clear() {
      if (shown) output.write("\r\u001B[2K");
      shown = false;
    },
  };
}

const width = 24;
