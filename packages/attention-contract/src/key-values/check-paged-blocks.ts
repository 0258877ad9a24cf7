import { refuse, refuseOther, refuseShape } from "@qkv/core";
import { checkTensor, isTensor, type Tensor } from "@qkv/tensor";
import type { KeyValueSegment, PagedBlocks } from "./key-values.js";
import { segmentLength } from "./segments.js";

/** Refuses blocks that do not hold what their table and length promise. Plain tensors pass. */
export function checkPagedBlocks(
  fn: string,
  argument: "key" | "value",
  segment: KeyValueSegment,
  query: Tensor,
): void {
  if (isTensor(segment)) return;
  if (!ArrayBuffer.isView((segment as Partial<PagedBlocks> | undefined)?.table))
    refuseOther(fn, argument, segment);
  const { table, blockLength, length, scale } = segment;
  const { shape } = checkTensor(fn, `${argument}.data`, segment.data);
  const B = query.shape[0]!;
  if (shape.length !== 4 || shape[2] !== blockLength) {
    const expected = `[blocks, numKvHeads, ${blockLength}, headDim], as blockLength is ${blockLength}`;
    const fix = "give the data in blocks of this length.";
    refuseShape(fn, `${argument}.data`, shape, expected, fix);
  }
  const [blocks, heads, , width] = shape as [number, number, number, number];
  if (scale && !scaleFits(checkTensor(fn, `${argument}.scale`, scale).shape, shape)) {
    const expected = `[${blocks}, ${heads}, 1, ${width}] or [${blocks}, ${heads}, ${blockLength}, 1]`;
    const fix = "give a scale for each number of a head, or for each token.";
    refuseShape(fn, `${argument}.scale`, scale.shape, expected, fix);
  }
  const inTable = `${argument}.table`;
  if (typeof length !== "number" && length.length !== B) {
    const fix = "give the tokens of each batch.";
    refuse(fn, `${argument}.length`, `${length.length} lengths`, `one, or B = ${B}`, fix);
  }
  const columns = table.length / B;
  const needed = Math.ceil(segmentLength(segment) / blockLength);
  if (B > 0 && (!Number.isInteger(columns) || columns < needed)) {
    const expected = `B = ${B} rows of ${needed} blocks or more, for ${segmentLength(segment)} tokens`;
    refuse(fn, inTable, `${table.length} numbers`, expected, "name a block for each stretch of tokens.");
  }
  for (let b = 0; b < B; b++) {
    const own = typeof length === "number" ? length : length[b]!;
    for (let column = 0; column < Math.ceil(own / blockLength); column++) {
      const block = table[b * columns + column]!;
      if (block >= 0 && block < blocks) continue;
      refuse(fn, inTable, block, `blocks from 0 to ${blocks - 1}`, "name blocks that the data have.");
    }
  }
}

function scaleFits(scale: readonly number[], data: readonly number[]): boolean {
  const along = (axis: number) => data.map((length, a) => (a === axis ? 1 : length));
  return [along(2), along(3)].some((wanted) => wanted.join() === scale.join());
}
