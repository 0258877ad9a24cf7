import { checks, ShapeError } from "@qkv/core";
import type { KeyValues } from "@qkv/attention-contract";
import { broadcastTo, checkTensor, randn, splitSeed, type Tensor } from "@qkv/tensor";

/** Learned keys and values `[Hkv, M, D]`. */
export type MemoryKeysParams = { key: Tensor; value: Tensor };

/** Learned keys and values, before those of the sequence. */
export type MemoryKeys = {
  /** The call that created it: `memoryKeys(4)`. */
  readonly name: string;
  /** Random keys and values, normal with variance 1. */
  init(numKvHeads: number, headDim: number, seed: number): MemoryKeysParams;
  /** Prepends the learned keys and values to those of S tokens: M + S in total, the same learned ones for each sequence. */
  prepend(params: MemoryKeysParams | undefined, keyValues: KeyValues, batchSize: number): KeyValues;
};

/**
 * Memory keys: each key-value head learns `count` keys and values that do not depend on tokens, placed before those of the sequence.
 * They can store facts of the training data, or receive attention when no token matches.
 *
 * They are read as the first M keys, without rotary positions: `causal()` lets every query see them, a window or a
 * padding mask counts them as tokens (`or(slidingWindow(8), keepFirst(M))` holds them in sight). Keys whose scores are −∞
 * change nothing. A cache holds the tokens alone. Params are `params.memory`, `2 · Hkv · M · D` numbers.
 *
 * @param count - M, the number of learned keys of a head.
 * @returns A value for the option `memory` of `multiHead`, `groupedQuery`, `multiQuery` and `crossAttention`.
 * @throws {ArgumentError} If `count` is not an integer of at least 1. {@link ShapeError} If keys do not fit.
 * @see "Augmenting Self-attention with Persistent Memory" (2019), arXiv:1907.01470
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { causal, memoryKeys, multiHead } from "@qkv/attention";
 *
 * const layer = multiHead({ embedDim: 8, numHeads: 2, mask: causal(), memory: memoryKeys(3) });
 * const params = layer.init(1);
 * params.memory?.key.shape; // => [2, 3, 4]
 * layer.apply(params, randn([1, 5, 8], { seed: 2 })).shape; // => [1, 5, 8]
 * ```
 */
export function memoryKeys(count: number): MemoryKeys {
  const check = checks("memoryKeys");
  check.whole({ count }, { min: 1, fix: "count the learned keys of a head." });
  return {
    name: `memoryKeys(${count})`,
    init(numKvHeads, headDim, seed) {
      const seeds = splitSeed(seed, ["key", "value"]);
      const make = (seed: number) => randn([numKvHeads, count, headDim], { seed });
      return { key: make(seeds.key), value: make(seeds.value) };
    },
    prepend(params, { key, value, positions }, batchSize) {
      const learned = (argument: "key" | "value") => {
        const { shape } = checkTensor("memoryKeys", `params.memory.${argument}`, params?.[argument]);
        if (shape.length !== 3 || shape[1] !== count) {
          check.refuse(
            {
              argument: `params.memory.${argument}`,
              received: shape,
              expected: `[Hkv, ${count}, D]`,
              fix: "take the params of `layer.init(seed)`, or load them with the other weights.",
            },
            ShapeError,
          );
        }
        return broadcastTo(params![argument], [batchSize, ...shape]);
      };
      return { key: [learned("key"), ...key], value: [learned("value"), ...value], positions };
    },
  };
}
