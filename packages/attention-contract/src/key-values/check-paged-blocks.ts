import { refuse, refuseNonTensor, refuseShape } from "@qkv/core";
import { checkTensor, isTensor, type Tensor } from "@qkv/tensor";
import type { KeyValueSegment, PagedBlocks } from "./key-values.js";
import { segmentLength } from "./segments.js";

/** Refuses paged blocks whose data, scale, block table and length do not fit together. Tensors are not checked. */
export function checkPagedBlocks(
  fn: string,
  argument: "key" | "value",
  segment: KeyValueSegment,
  query: Tensor,
): void {
  if (isTensor(segment)) return;
  if (!ArrayBuffer.isView((segment as Partial<PagedBlocks> | undefined)?.table))
    refuseNonTensor(fn, argument, segment);
  const { table, blockLength, length, scale } = segment;
  const { shape } = checkTensor(fn, `${argument}.data`, segment.data);
  const B = query.shape[0]!;
  if (shape.length !== 4 || shape[2] !== blockLength) {
    const expected = `[blocks, numKvHeads, ${blockLength}, headDim], as blockLength is ${blockLength}`;
    const fix = "give the data in blocks of this length.";
    refuseShape(fn, `${argument}.data`, shape, expected, fix);
  }
  const [blocks, heads, , headDim] = shape as [number, number, number, number];
  if (scale && !scaleFits(checkTensor(fn, `${argument}.scale`, scale).shape, shape)) {
    const expected = `[${blocks}, ${heads}, 1, ${headDim}] or [${blocks}, ${heads}, ${blockLength}, 1]`;
    const fix = "give one scale per channel of a head, or one per token.";
    refuseShape(fn, `${argument}.scale`, scale.shape, expected, fix);
  }
  const tableArgument = `${argument}.table`;
  if (typeof length !== "number" && length.length !== B) {
    const fix = "give the number of tokens of each sequence in the batch.";
    refuse(fn, `${argument}.length`, `${length.length} lengths`, `one, or B = ${B}`, fix);
  }
  const columns = table.length / B;
  const needed = Math.ceil(segmentLength(segment) / blockLength);
  if (B > 0 && (!Number.isInteger(columns) || columns < needed)) {
    const expected = `B = ${B} rows of ${needed} blocks or more, for ${segmentLength(segment)} tokens`;
    refuse(
      fn,
      tableArgument,
      `${table.length} entries`,
      expected,
      "give the index of a block for every blockLength tokens.",
    );
  }
  for (let b = 0; b < B; b++) {
    const tokens = typeof length === "number" ? length : length[b]!;
    for (let column = 0; column < Math.ceil(tokens / blockLength); column++) {
      const block = table[b * columns + column]!;
      if (block >= 0 && block < blocks) continue;
      refuse(
        fn,
        tableArgument,
        block,
        `blocks from 0 to ${blocks - 1}`,
        "give indices of blocks that the data have.",
      );
    }
  }
}

/** True for a scale per channel, `[blocks, Hkv, 1, D]`, or per token, `[blocks, Hkv, blockLength, 1]`. */
function scaleFits(scale: readonly number[], data: readonly number[]): boolean {
  const scaleShape = (axis: number) => data.map((length, a) => (a === axis ? 1 : length));
  return [scaleShape(2), scaleShape(3)].some((wanted) => wanted.join() === scale.join());
}
