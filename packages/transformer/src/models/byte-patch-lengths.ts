import { checks, type Checks } from "@qkv/core";
import { tensor } from "@qkv/tensor";
import { checkIds, type TokenIds } from "./check-ids.js";
import { checkModel } from "./check-model.js";
import { decoder } from "./decoder.js";
import type { Model } from "./model.js";
import { lengthsFromEnds, uncertainEnds } from "./patch-boundaries.js";

/**
 * Computes the lengths of the patches into which a model with byte patches splits a text. Unlike `apply`, it awaits the logits of the
 * entropy model, as GPU devices require. Pass the result to `apply` as `patchLengths`.
 *
 * @param ids - Bytes as token ids: `[B, T]`.
 * @returns For each text, the lengths of its patches in bytes, which sum to T. The first is 1, for the start token; the
 *   last patch is open, and has 0 bytes if the last byte ended a patch.
 * @throws {ArgumentError} If the model has no byte patches, or an id is not in its vocabulary.
 * @see "Byte Latent Transformer: Patches Scale Better Than Tokens" (2024), arXiv:2412.09871, section 2.3
 *
 * @example
 * ```ts
 * import { bytePatches, bytePatchLengths, decoder } from "@qkv/transformer";
 *
 * const layers = { embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 2, normEps: 1e-5 };
 * const bytes = { vocabSize: 260, contextLength: 64, stopIds: [] };
 * const { config, init, apply } = decoder({
 *   ...layers,
 *   ...bytes,
 *   bytePatches: bytePatches({
 *     patcher: { ...layers, ...bytes },
 *     threshold: 100, // more than any entropy: one patch
 *     hashes: { orders: [3, 4], functions: 1, buckets: 100 },
 *     encoder: layers,
 *     global: { ...layers, embedDim: 16, hiddenDim: 32, numLayers: 2 },
 *     rowsPerPatch: 2,
 *   }),
 * });
 * const params = init(1);
 * const model = { config, params, apply, tokenizer: undefined };
 * const patchLengths = await bytePatchLengths(model, [1, 76, 105, 107, 101]);
 * patchLengths; // => [[1, 4]]
 * apply(params, [1, 76, 105, 107, 101], { patchLengths }).shape; // => [1, 5, 260]
 * ```
 */
export async function bytePatchLengths(model: Model, ids: TokenIds): Promise<number[][]> {
  checkModel(check, model, ["decoder"]);
  const { config, params } = model;
  const { bytePatches, vocabSize } = config;
  const patchParams = params.bytePatches;
  if (!bytePatches || !patchParams) {
    return check.refuse({
      argument: "model",
      received: "a model of tokens",
      expected: "a model of byte patches, whose configuration has `bytePatches`",
      fix: "load a Byte Latent Transformer, or leave `patchLengths` out.",
    });
  }
  const { patcher, threshold } = bytePatches.config;
  const { device } = patchParams.patcher.embedding.weight;
  const tokens = checkIds(check, ids, { device, vocabSize });
  const logits = decoder(patcher).apply(patchParams.patcher, tokens); // [B, T, V]
  const hostLogits = tensor(await logits.read(), { shape: logits.shape });
  const starts = new Array<number>(logits.shape[0]!).fill(0);
  return uncertainEnds(hostLogits, starts, threshold).map(lengthsFromEnds);
}

const check: Checks = /* @__PURE__ */ checks("bytePatchLengths");
