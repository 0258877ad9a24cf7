import { expect, test } from "vitest";
import { progressLine } from "./progress-line.js";

function record(isTTY: boolean) {
  const written: string[] = [];
  return { written, line: progressLine({ isTTY, write: (text) => written.push(text) }) };
}

test("on a terminal the line is rewritten in place, and removed at the end", () => {
  const { written, line } = record(true);
  line.show(undefined, "reading");
  line.show(0.25, "5 of 20");
  line.clear();
  line.clear();
  expect(written).toEqual([
    "\r\u001B[2Kreading",
    "\r\u001B[2K[######..................] 5 of 20",
    "\r\u001B[2K",
  ]);
});

test("nothing is written to a file or a pipe", () => {
  const { written, line } = record(false);
  line.show(0.5, "half");
  line.clear();
  expect(written).toEqual([]);
});
