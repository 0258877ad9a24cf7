import { checks, type Checks } from "@qkv/core";
import { tensor, type Tensor } from "@qkv/tensor";
import { checkIds } from "./check-ids.js";
import { checkModel } from "./check-model.js";
import { decoder } from "./decoder.js";
import type { Model } from "./model.js";
import { lengthsFromEnds, uncertainEnds } from "./patch-boundaries.js";

/**
 * Computes the lengths of the patches that a model of byte patches cuts a text into. Logits of its entropy model are awaited,
 * so that devices give them whose numbers can be had in no other way; `apply` takes the lengths as `patchLengths` then.
 *
 * @param ids - Bytes as token ids: `[B, T]`, or a list for one text.
 * @returns For each text the lengths of its patches in bytes, which sum to T: the first is 1, that of the start token, and the
 *   last patch is open, of 0 bytes where the last byte ended one.
 * @throws {ArgumentError} If the model has no byte patches, or an id is not of its vocabulary.
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
export async function bytePatchLengths(model: Model, ids: Tensor | readonly number[]): Promise<number[][]> {
  checkModel(check, model);
  const { config, params } = model;
  const { bytePatches, vocabSize } = config;
  const own = params.bytePatches;
  if (!bytePatches || !own) {
    return check.refuse({
      argument: "model",
      received: "a model of tokens",
      expected: "a model of byte patches, whose configuration has `bytePatches`",
      fix: "load a Byte Latent Transformer, or leave `patchLengths` out.",
    });
  }
  const { patcher, threshold } = bytePatches.config;
  const { device } = own.patcher.embedding.weight;
  const tokens = checkIds(check, ids, { device, vocabSize });
  const logits = decoder(patcher).apply(own.patcher, tokens); // [B, T, V]
  const onHost = tensor(await logits.read(), { shape: logits.shape });
  const starts = new Array<number>(logits.shape[0]!).fill(0);
  return uncertainEnds(onHost, starts, threshold).map(lengthsFromEnds);
}

const check: Checks = /* @__PURE__ */ checks("bytePatchLengths");
