import { checks } from "@qkv/core";
import type { Mask } from "@qkv/attention-contract";
import { permutation } from "@qkv/tensor";
import { defineMask } from "../mask.js";
import { blockRule } from "./block-rule.js";

export type BigBirdOptions = {
  /** Size of a block. Unit: tokens. Default 64. */
  blockSize?: number;
  /** Number of blocks in the window around the query's own block, which is counted: an odd number. Default 3. */
  windowBlocks?: number;
  /** Indices of the global blocks, which see all blocks and are seen by all. Negative indices count from the end. Default `[0, -1]`. */
  globalBlocks?: readonly number[];
  /** Number of random blocks that each block also sees. Default 3. */
  randomBlocks?: number;
  /** Seed of the random blocks, an integer. Default 0. */
  seed?: number;
};

/**
 * Combines window, global and random blocks: each query sees its neighborhood, a few global blocks that also see
 * everything, and a few random distant blocks. The work grows linearly in `S`, and any two tokens are connected in a
 * few steps.
 *
 * It looks both ways, as in encoders; `and(causal(), bigBird())` does not. The random blocks depend on the number of
 * blocks of the sequence.
 *
 * @throws {ArgumentError} If a count is not an integer, or `windowBlocks` is even.
 * @see "Big Bird: Transformers for Longer Sequences" (2020), arXiv:2007.14062, section 2 and appendix D
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { attentionWeights, bigBird } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 6, 2]); // [B, H, T, D]: all keys match equally
 * const mask = bigBird({ blockSize: 1, windowBlocks: 1, globalBlocks: [0], randomBlocks: 1, seed: 1 });
 * attentionWeights(x, x, { mask }).data.slice(-6).filter((weight) => weight > 0).length; // => 3
 * ```
 */
export function bigBird(options?: BigBirdOptions): Mask {
  const check = checks("bigBird");
  const {
    blockSize = 64,
    windowBlocks = 3,
    globalBlocks = [0, -1],
    randomBlocks = 3,
    seed = 0,
  } = check.options(options, ["blockSize", "windowBlocks", "globalBlocks", "randomBlocks", "seed"]);
  const unit = "blocks";
  const fix = "count blocks: the paper takes 3 around a query, 2 global, 3 random.";
  check.whole({ blockSize }, { min: 1, unit: "tokens", fix: "choose 64 or a multiple for speed." });
  check.whole({ windowBlocks }, { min: 1, unit, fix });
  check.whole({ randomBlocks }, { min: 0, unit, fix });
  check.whole({ seed });
  const odd = "a block has as many neighbours on each side: 1, 3, 5, …";
  check.each({ windowBlocks }, () => windowBlocks % 2 === 1, "an odd number of blocks", odd);
  const numbered = "number blocks from 0, or from −1 at the end.";
  check.list({ globalBlocks }, "integers", Number.isInteger, numbered);
  const side = (windowBlocks - 1) / 2;
  const given = `blockSize: ${blockSize}, windowBlocks: ${windowBlocks}, globalBlocks: [${globalBlocks.join(", ")}]`;
  let last: { blocks: number; layout: Uint8Array } | undefined; // the layers of a model request the same layout one after another
  return defineMask({
    name: `bigBird({ ${given}, randomBlocks: ${randomBlocks}, seed: ${seed} })`,
    bind({ keyLength }) {
      const blocks = Math.ceil(keyLength / blockSize);
      if (last?.blocks !== blocks) last = { blocks, layout: layoutOf(blocks) };
      const { layout } = last;
      return blockRule(blockSize, (query, key) => {
        const inside = Math.min(query, key) >= 0 && Math.max(query, key) < blocks;
        return inside && layout[query * blocks + key] === 1;
      });
    },
  });

  function layoutOf(blocks: number): Uint8Array {
    const global = new Set(globalBlocks.map((block) => (block < 0 ? block + blocks : block)));
    const chosen = (query: number, key: number) =>
      global.has(query) || global.has(key) || Math.abs(query - key) <= side;
    const layout = new Uint8Array(blocks * blocks);
    for (let query = 0; query < blocks; query++) {
      const order = randomBlocks > 0 ? permutation(blocks, { seed, first: query * blocks }).data : [];
      const far = Array.from(order).filter((key) => !chosen(query, key));
      for (const key of far.slice(0, randomBlocks)) layout[query * blocks + key] = 1;
      for (let key = 0; key < blocks; key++) if (chosen(query, key)) layout[query * blocks + key] = 1;
    }
    return layout;
  }
}
