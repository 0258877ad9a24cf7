import { checks } from "@qkv/core";
import { checkList, checkPositive, checkWhole } from "./check-call.js";

/** One unmasked self-attention call over a whole sequence. */
export type AttentionTrafficCall = {
  batchSize: number;
  numHeads: number;
  /** T = S. Unit: tokens. */
  length: number;
  headDim: number;
  /** Default 2. */
  bytesPerNumber?: number;
  /** Adds the backward pass: gradients of query, key and value. Default false. */
  backward?: boolean;
  /** Separate passes over stored scores, in order. Default: only the softmax. */
  passes?: readonly ("mask" | "softmax" | "dropout")[];
  /** On-chip memory (SRAM) of one streaming multiprocessor. Default 192 KiB, as in an A100. Unit: bytes. */
  sramBytes?: number;
};

/** FLOPs, memory traffic and peak memory of an attention algorithm. */
export type AttentionTraffic = {
  readonly flops: number;
  /** Bytes read from and written to off-chip memory (HBM). */
  readonly bytesMoved: number;
  /** Peak memory use. Unit: bytes. */
  readonly peakBytes: number;
};

/**
 * Compares standard with tiled attention. `stored` writes the scores to memory and reads them in each step; `tiled`
 * keeps a tile of them in on-chip memory and recomputes them for the gradients, as FlashAttention does: a few more
 * FLOPs, many fewer bytes.
 *
 * @throws {ArgumentError} If a size is not an integer of at least 1.
 * @see "FlashAttention" (2022), arXiv:2205.14135: algorithms 0 and 3 for `stored`, 1 and 4 for `tiled`
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
  const options = check.options(call, [...names, "sramBytes"], "call");
  const { batchSize, numHeads, length: N, headDim: D, bytesPerNumber = 2, backward = false } = options;
  const { passes = ["softmax"], sramBytes = 192 * 1024 } = options;
  checkWhole(check, { batchSize }, 1, "sequences");
  checkWhole(check, { numHeads }, 1, "heads");
  checkWhole(check, { length: N }, 1, "tokens");
  checkWhole(check, { headDim: D }, 1, "elements");
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

  // Elements of scores moved: the first product writes, each pass reads and writes, the second product reads. Backward:
  // each pass runs once more, the softmax also reads its output, weights are read once, and gradients written once and
  // read twice.
  const otherPasses = passes.filter((pass) => pass !== "softmax").length;
  const storedForward = matrix * (2 + 2 * passes.length) + 4 * rows;
  const storedBackward = matrix * (7 + 2 * otherPasses) + 8 * rows;

  // FlashAttention: each iteration of the outer loop holds M / 4D keys and values in SRAM of M elements, and reads all queries.
  const columns = Math.max(1, Math.floor(sramBytes / bytesPerNumber / (4 * D)));
  const outer = Math.ceil(N / columns);
  const tiledForward = (2 + 3 * outer) * rows;
  const tiledBackward = (4 + 5 * outer) * rows;

  // Query, key, value and output, and in the backward pass their gradients.
  const tensorNumbers = (backward ? 8 : 4) * rows;
  const times = heads * bytesPerNumber;
  return {
    stored: {
      flops: heads * (forwardFlops + (backward ? backwardFlops : 0)),
      bytesMoved: times * (storedForward + (backward ? storedBackward : 0)),
      peakBytes: times * (tensorNumbers + (backward ? 4 : 2) * matrix),
    },
    tiled: {
      flops: heads * (forwardFlops + (backward ? backwardFlops + recomputeFlops : 0)),
      bytesMoved: times * (tiledForward + (backward ? tiledBackward : 0)),
      // Plus the logsumexp of each row, in float32.
      peakBytes: times * tensorNumbers + heads * 4 * N,
    },
  };
}
