import { checks, ShapeError } from "@qkv/core";
import { add, checkTensor, embedding, mul, randn, tensor, type Tensor } from "@qkv/tensor";
import { placesOf } from "./places-of.js";
import type { Positions } from "./places-of.js";

export type LearnedPositionsConfig = {
  /** Number of positions that have a vector: the longest text. */
  length: number;
  /** C, the width of the model. */
  embedDim: number;
};

/** A layer that adds a learned vector for each position. */
export type LearnedPositions = {
  readonly config: LearnedPositionsConfig;
  /** `weight` `[length, C]`: normal with standard deviation 0.02, as in GPT-2. */
  init(seed: number): { weight: Tensor };
  /** x `[B, T, C]` plus the vectors of its positions. Default: from 0 on. */
  apply(params: { weight: Tensor }, x: Tensor, options?: { positions?: Positions }): Tensor;
};

/**
 * Learned positions: a table with one vector per position, added to embeddings (GPT-2, BERT). A text longer than the
 * table throws an error.
 *
 * @throws {ArgumentError} If a size is not an integer of at least 1.
 * @see "Convolutional Sequence to Sequence Learning" (2017), arXiv:1705.03122, section 3.1
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { learnedPositions } from "@qkv/attention";
 *
 * const layer = learnedPositions({ length: 16, embedDim: 4 });
 * const params = layer.init(1);
 * const y = layer.apply(params, zeros([1, 2, 4]), { positions: { start: 3 } });
 * y.data[0] === params.weight.data[12]; // => true
 * ```
 */
export function learnedPositions(config: LearnedPositionsConfig): LearnedPositions {
  const check = checks("learnedPositions");
  const { length, embedDim: C } = check.options(config, ["length", "embedDim"], "config");
  const fix = "choose the longest text, and the width of the model.";
  check.whole({ length }, { min: 1, unit: "tokens", fix });
  check.whole({ embedDim: C }, { min: 1, unit: "elements", fix });
  return {
    config,
    init: (seed) => ({ weight: mul(randn([length, C], { seed }), 0.02) }),
    apply(params, x, options) {
      const { positions = { start: 0 } } = check.options(options, ["positions"]);
      const weight = checkTensor("learnedPositions", "params.weight", params?.weight);
      if (checkTensor("learnedPositions", "x", x).shape.length !== 3 || x.shape[2] !== C) {
        const expected = `[B, T, ${C}], as embedDim is ${C}`;
        const fix = "give batches of rows as wide as the layer.";
        check.refuse({ argument: "x", received: x.shape, expected, fix }, ShapeError);
      }
      const [B, T] = x.shape as [number, number, number];
      const places = placesOf("learnedPositions", positions, B, T);
      const beyond = places.findIndex((place) => !Number.isInteger(place) || place < 0 || place >= length);
      if (beyond >= 0) {
        check.refuse({
          argument: "positions",
          received: places[beyond],
          expected: `positions from 0 to ${length - 1}, as length is ${length}`,
          fix: "shorten the text, or make and train a longer table.",
        });
      }
      const shape = places.length === T ? [T] : [B, T];
      return add(x, embedding(weight, tensor(places, { shape, dtype: "int32", device: x.device })));
    },
  };
}
