import { checks, ShapeError } from "@qkv/core";
import type { Mask } from "@qkv/attention-contract";
import { checkTensor, type Tensor } from "@qkv/tensor";
import { defineMask } from "../mask.js";
import { blockRule } from "./block-rule.js";

/**
 * A mask given by a layout of blocks: position `p` is in block `⌊p / blockSize⌋`, and the queries of a block see either
 * all keys of another block or none. On a device that skips masked tiles, the work is proportional to the number of
 * `true` blocks.
 *
 * @param layout - bool, `[query blocks, key blocks]`, or `[H, query blocks, key blocks]` for a layout per head. May
 *   be larger than the sequence.
 * @param blockSize - Unit: tokens. An integer, 1 or more. A multiple of 64 lets devices skip masked blocks as tiles.
 * @throws {ArgumentError} If the layout is not bool. {@link ShapeError} if it has too few blocks or heads.
 * @see "Generating Long Sequences with Sparse Transformers" (2019), arXiv:1904.10509, section 5.3
 *
 * @example
 * ```ts
 * import { tensor, zeros } from "@qkv/tensor";
 * import { attentionWeights, blockSparse } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 4, 2]); // [B, H, T, D]: all keys match equally
 * const layout = tensor([[true, false], [true, true]]);
 * [...attentionWeights(x, x, { mask: blockSparse(layout, 2) }).data.slice(0, 4)]; // => [0.5, 0.5, 0, 0]
 * ```
 */
export function blockSparse(layout: Tensor, blockSize: number): Mask {
  const check = checks("blockSparse");
  const { shape, dtype } = checkTensor("blockSparse", "layout", layout);
  if (dtype !== "bool") {
    check.refuse({
      argument: "layout",
      received: dtype,
      expected: "bool: true where the queries of a block see the keys of another",
      fix: 'convert 0 and 1 to bools with `cast(layout, "bool")`.',
    });
  }
  if (shape.length !== 2 && shape.length !== 3) wrongShape(shape, "two axes, or three with heads first");
  const fix = "choose how many tokens one block holds, 64 or a multiple for speed.";
  check.whole({ blockSize }, { min: 1, unit: "tokens", fix });
  const [heads, rows, columns] = [1, ...shape].slice(-3) as [number, number, number];
  const perHead = shape.length === 3;
  const { data } = layout;
  return defineMask({
    name: `blockSparse([${shape.join(", ")}], ${blockSize})`,
    perHead,
    bind({ keyLength, heads: callHeads }) {
      if (perHead && callHeads !== undefined && callHeads !== heads)
        wrongShape(shape, `a layout for ${callHeads} heads`);
      const blocks = Math.ceil(keyLength / blockSize);
      if (rows < blocks || columns < blocks)
        wrongShape(shape, `${blocks} blocks of ${blockSize} for S = ${keyLength} positions`);
      return blockRule(blockSize, (query, key, head) => {
        if (perHead && head >= heads) wrongShape(shape, `a layout for head ${head} too`);
        if (query < 0 || query >= rows || key < 0 || key >= columns) return false;
        return data[((perHead ? head : 0) * rows + query) * columns + key] === 1;
      });
    },
  });
}

function wrongShape(received: readonly number[], expected: string): never {
  return checks("blockSparse", { argument: "layout" }).refuse(
    {
      received,
      expected,
      fix: "give [query blocks, key blocks], or [H, query blocks, key blocks], that cover the whole sequence.",
    },
    ShapeError,
  );
}
