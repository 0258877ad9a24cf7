import { checks, type Checks } from "@qkv/core";
import { reshape, take, tensor, type Tensor } from "@qkv/tensor";
import { checkIdList } from "./check-ids.js";
import type { EncoderDecoderModel } from "./model.js";

/**
 * The rows of texts for the sequence classification head of an encoder–decoder. In BART, encoder and decoder both get the text, the decoder
 * after its start token. The row is the decoder output at the last end token.
 *
 * @param model - From {@link loadEncoderDecoder}. {@link taskLogits} applies its head to the rows.
 * @param texts - Token ids of each text, including the end token.
 * @returns `[B, 1, C]`
 * @throws {ArgumentError} If a text has no end token, or an id is invalid.
 * @see "BART" (2019), arXiv:1910.13461, section 3.1
 *
 * @example
 * ```ts
 * import { encoderDecoder, sequenceRows, taskLogits } from "@qkv/transformer";
 *
 * const head = { task: "sequence", labels: ["no", "maybe", "yes"], activation: "tanh" } as const;
 * const bart = encoderDecoder({
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, contextLength: 32, startIds: [2], stopIds: [2], head,
 * });
 * const model = { ...bart, params: bart.init(1), tokenizer: undefined };
 * const rows = sequenceRows(model, [[3, 1, 4, 2], [5, 2]]);
 * rows.shape; // => [2, 1, 8]
 * taskLogits(model, rows).shape; // => [2, 3]
 * ```
 */
export function sequenceRows(
  model: Pick<EncoderDecoderModel, "config" | "params" | "encode" | "apply">,
  texts: readonly (readonly number[])[],
): Tensor {
  const { config, params, encode, apply } = model ?? {};
  check.each(
    { model },
    () => typeof encode === "function",
    "an encoder–decoder",
    "load one with `loadEncoderDecoder`.",
  );
  check.list({ texts }, "texts, each a list of token ids", (ids) => Array.isArray(ids));
  const { startIds, stopIds, padId = 0, vocabSize } = config;
  const checkedTexts = texts.map((ids, i) => checkIdList(check, ids, vocabSize, `texts[${i}]`));
  const T = Math.max(...checkedTexts.map(({ length }) => length));
  const endRows = checkedTexts.map((ids, i) => {
    const end = ids.findLastIndex((id) => stopIds.includes(id));
    if (end >= 0) return i * T + end;
    return check.refuse({
      argument: `texts[${i}]`,
      received: `a text without the end token ${stopIds.join(" or ")}`,
      expected: "one that ends with it, where the head reads",
      fix: "encode texts with the special tokens of the tokenizer.",
    });
  });
  const decoderIds = checkedTexts.map((ids) =>
    Array.from({ length: T }, (_, t) => (t === 0 ? startIds[0]! : (ids[t - 1] ?? padId))),
  );
  const { device } = params.embedding.weight;
  return device.scope(() => {
    const ids = tensor(decoderIds, { dtype: "int32", device });
    const rows = apply(params, ids, { source: encode(params, checkedTexts), output: "rows" }); // [B, T, C]
    const [B, , C] = rows.shape as [number, number, number];
    const chosen = take(reshape(rows, [B * T, C]), 0, tensor(Int32Array.from(endRows), { device }));
    return reshape(chosen, [B, 1, C]);
  });
}

const check: Checks = /* @__PURE__ */ checks("sequenceRows");
