/** One attention call over a whole sequence, every query seeing every key. */
export type AttentionTrafficCall = {
  batchSize: number;
  numHeads: number;
  /** T = S. Unit: tokens. */
  length: number;
  headDim: number;
  /** Default 2. */
  bytesPerNumber?: number;
  /** Whether the gradients of query, key and value are computed too. Default false. */
  backward?: boolean;
  /** What is done to the scores one pass after the other when they are stored. Default: softmax alone. */
  passes?: readonly ("mask" | "softmax" | "dropout")[];
  /** Fast memory of one processor. Default 192 KiB, an A100's. */
  fastBytes?: number;
};
/** What an algorithm computes, moves between slow and fast memory, and holds at once. */
export type AttentionTraffic = {
  readonly flops: number;
  readonly bytesMoved: number;
  readonly bytesHeld: number;
};
/**
 * The same attention, stored and tiled. `stored` writes the scores to memory and reads them for each step; `tiled`
 * keeps a tile of them in fast memory and computes them again for the gradients, as FlashAttention does: a few more
 * FLOPs, many fewer bytes.
 *
 * @throws {ArgumentError} If a size is no whole number of at least 1.
 * @see "FlashAttention" (2022), arXiv:2205.14135, algorithms 1 and 4, and 0 and 3 for what is stored.
 *
 * @example
 * ```ts
 * import { attentionTraffic } from "@qkv/cost";
 *
 * const { stored, tiled } = attentionTraffic({ batchSize: 64, numHeads: 16, length: 1024, headDim: 64, backward: true });
 * (tiled.flops / stored.flops).toFixed(2); // => "1.17"
 * (stored.bytesMoved / tiled.bytesMoved).toFixed(1); // => "6.3"
 * ```
 */
export declare function attentionTraffic(call: AttentionTrafficCall): {
  stored: AttentionTraffic;
  tiled: AttentionTraffic;
};
