import { checks } from "@qkv/core";
import { checkList, checkPositive, checkWhole } from "./check-call.js";

/** One attention call over a whole sequence, every query seeing every key. */
export type AttentionTrafficCall = {
  batchSize: number;
  numHeads: number;
  /** T = S. Unit: tokens. */
  length: number;
  headDim: number;
  /** Default 2. */
  bytesPerNumber?: number;
  /** Computes the gradients of query, key and value too. Default false. */
  backward?: boolean;
  /** Passes over stored scores, in order. Default: softmax alone. */
  passes?: readonly ("mask" | "softmax" | "dropout")[];
  /** On-chip memory (SRAM) of one streaming multiprocessor. Default 192 KiB, an A100's. */
  sramBytes?: number;
};

/** FLOPs, memory traffic and peak memory of an attention algorithm. */
export type AttentionTraffic = {
  readonly flops: number;
  /** Reads and writes of memory outside the chip (HBM). */
  readonly bytesMoved: number;
  /** Peak memory. */
  readonly peakBytes: number;
};

/**
 * Compares standard with tiled attention. `stored` writes the scores to memory and reads them in each step; `tiled`
 * keeps a tile of them in on-chip memory and recomputes them for the gradients, as FlashAttention does: a few more
 * FLOPs, many fewer bytes.
 *
 * @throws {ArgumentError} If a size is no whole number of at least 1.
 * @see "FlashAttention" (2022), arXiv:2205.14135, algorithms 1 and 4, and 0 and 3 for what is stored.
 *
 * @example
 * ```ts
 * import { attentionTraffic } from "@qkv/cost";
 *
 * const sizes = { batchSize: 64, numHeads: 16, length: 1024, headDim: 64 };
 * const { stored, tiled } = attentionTraffic({ ...sizes, backward: true });
 * (tiled.flops / stored.flops).toFixed(2); // => "1.17"
 * (stored.bytesMoved / tiled.bytesMoved).toFixed(1); // => "6.3"
 * ```
 */
export function attentionTraffic(call: AttentionTrafficCall): {
  stored: AttentionTraffic;
  tiled: AttentionTraffic;
} {
  const check = checks("attentionTraffic");
  const names = [
    "batchSize",
    "numHeads",
    "length",
    "headDim",
    "bytesPerNumber",
    "backward",
    "passes",
  ] as const;
  const given = check.options(call, [...names, "sramBytes"], "call");
  const { batchSize, numHeads, length: N, headDim: D, bytesPerNumber = 2, backward = false } = given;
  const { passes = ["softmax"], sramBytes = 192 * 1024 } = given;
  checkWhole(check, { batchSize }, 1, "sequences");
  checkWhole(check, { numHeads }, 1, "heads");
  checkWhole(check, { length: N }, 1, "tokens");
  checkWhole(check, { headDim: D }, 1, "numbers");
  checkWhole(check, { sramBytes }, 1, "bytes");
  checkPositive(check, { bytesPerNumber }, "bytes");
  check.type({ backward }, "boolean");
  checkList(check, { passes }, "a list of passes");
  for (const pass of passes) check.oneOf({ passes: pass }, ["mask", "softmax", "dropout"]);
  const heads = batchSize * numHeads;
  const [matrix, rows] = [N * N, N * D];

  // Forward: two products, softmax. Backward: four products, softmax.
  const forwardFlops = matrix * (4 * D + 5);
  const backwardFlops = matrix * (8 * D + 5);
  const recomputeFlops = matrix * (2 * D + 2);

  // Scores are written by the first product, read and written by each pass, and read by the second product. Backward:
  // each pass runs once more, softmax also reads its output, weights are read once, and gradients written once and
  // read twice.
  const others = passes.filter((pass) => pass !== "softmax").length;
  const storedForward = matrix * (2 + 2 * passes.length) + 4 * rows;
  const storedBackward = matrix * (7 + 2 * others) + 8 * rows;

  // The outer loop loads as many keys and values as a quarter of the on-chip memory holds, the inner one all queries.
  const columns = Math.max(1, Math.floor(sramBytes / bytesPerNumber / (4 * D)));
  const outer = Math.ceil(N / columns);
  const tiledForward = (2 + 3 * outer) * rows;
  const tiledBackward = (4 + 5 * outer) * rows;

  // Query, key, value, output; backward their gradients. Stored: scores and weights, backward their gradients.
  const held = (backward ? 8 : 4) * rows;
  const times = heads * bytesPerNumber;
  return {
    stored: {
      flops: heads * (forwardFlops + (backward ? backwardFlops : 0)),
      bytesMoved: times * (storedForward + (backward ? storedBackward : 0)),
      peakBytes: times * (held + (backward ? 4 : 2) * matrix),
    },
    tiled: {
      flops: heads * (forwardFlops + (backward ? backwardFlops + recomputeFlops : 0)),
      bytesMoved: times * (tiledForward + (backward ? tiledBackward : 0)),
      // A float32 for each row: its logsumexp.
      peakBytes: times * held + heads * 4 * N,
    },
  };
}
