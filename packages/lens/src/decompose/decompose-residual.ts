import { checks } from "@qkv/core";
import { checkModel, tokenIds, type LensModel, type TokenInput } from "../lens-model.js";
import { runWithTrace } from "../run-with-trace.js";
import { residualNames, residualStream } from "./residual-stream.js";
import type { ResidualPart } from "./residual-part.js";

export type DecomposeOptions = {
  /** Layer before which the stream is decomposed, from 0. Default: after the last layer, before the final norm. */
  readonly layer?: number;
  /** Positions whose rows are decomposed. Default: all. */
  readonly positions?: readonly number[];
  /** True: a part for each head. False: one for the attention of a layer. Default true. */
  readonly heads?: boolean;
};

/**
 * Splits the residual stream of a run into its summands: embeddings, each head, each feed-forward layer, biases. The
 * parts sum to the stream, with the scales of norms frozen at their values in the run. Combines `decompose_resid` and
 * `stack_head_results` of TransformerLens.
 *
 * A layer with a state is one part. AltUp's streams, per-layer embeddings (Gemma 3n) and LAuReL are parts of
 * kind `residual`, one for all that each of them adds.
 *
 * @param input - A text, a list of ids, or ids `[B, T]`.
 * @returns Parts `[B, n, C]` for n positions.
 * @throws {ArgumentError} If a layer or position is out of range.
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { decomposeResidual } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * const parts = decomposeResidual({ config, params: init(1), apply }, [3, 1, 4], { positions: [2] });
 * parts.map(({ name }) => name); // => ["embedding", "layers.0.heads.0", "layers.0.heads.1", "layers.0.feedForward"]
 * parts[0]!.value.shape; // => [1, 1, 8]
 * ```
 */
export function decomposeResidual(
  model: LensModel,
  input: TokenInput,
  options?: DecomposeOptions,
): ResidualPart[] {
  checkModel(check, model);
  const ids = tokenIds(check, model, input);
  const { layer, positions, heads = true } = check.options(options, ["layer", "positions", "heads"]);
  const { numLayers } = model.config;
  if (layer !== undefined)
    check.whole({ layer }, { min: 0, max: numLayers - 1, fix: "count layers from 0." });
  const length = "shape" in ids ? ids.shape[1]! : ids.length;
  const isPlace = (at: unknown) => Number.isInteger(at) && (at as number) >= 0 && (at as number) < length;
  if (positions !== undefined) check.list({ positions }, `positions from 0 to ${length - 1}`, isPlace);
  check.type({ heads }, "boolean");
  const { tensors } = runWithTrace(model, ids, { names: residualNames });
  const stream = residualStream(model, { tensors, positions, heads });
  return [...(layer === undefined ? stream.final() : stream.before(layer)).parts];
}

const check = /* @__PURE__ */ checks("decomposeResidual");
