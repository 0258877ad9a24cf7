import type { AttentionLayer, AttentionParams } from "@qkv/attention";
import { checks, type Checks } from "@qkv/core";
import { isTensor, linear, mul, slice, tensor, topK, type Tensor } from "@qkv/tensor";
import type { LensModel } from "../lens-model.js";
import {
  attentionOfHead,
  attentionRows,
  checkTokens,
  headRows,
  tokenRows,
  type HeadPlace,
} from "./head-place.js";

/** A head, and the tokens of its circuit. */
export type CircuitOptions = HeadPlace & {
  /** Ids of the tokens. */
  readonly tokens: readonly number[];
};

/**
 * The OV circuit of a head over tokens: what attending to one token adds to the logit of another, if the residual stream holds
 * only the token's embedding. A head that copies has large values on the diagonal.
 *
 * The embedding goes through the layer's norm, the value and output projections, the gain of the final norm, and the
 * unembedding. The scale of the final norm, biases of the output and gates are left out, so the values of a row rank tokens;
 * they are not logits of a run.
 *
 * @returns `[n, n]`: a row for each token that is attended to, a column for each that is predicted.
 * @throws {ArgumentError} If the model has no such head, or a token id is outside of its vocabulary.
 * @see "A Mathematical Framework for Transformer Circuits" (2021), https://transformer-circuits.pub/2021/framework
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { ovCircuit } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * ovCircuit({ config, params: init(1), apply }, { layer: 0, head: 1, tokens: [3, 1, 4] }).shape; // => [3, 3]
 * ```
 */
export function ovCircuit(model: LensModel, options: CircuitOptions): Tensor {
  const { layer, head, tokens } = ovChecks.options(options, ["layer", "head", "tokens"]);
  return ovLogits(ovChecks, model, { layer, head, tokens });
}

/** The OV circuit `[n, n]`, or with `all` its logits for the whole vocabulary, `[n, V]`. `rows`: stream rows in place of embeddings. */
function ovLogits(
  check: Checks,
  model: LensModel,
  { layer, head, tokens }: CircuitOptions,
  { all = false, rows }: { readonly all?: boolean; readonly rows?: Tensor | undefined } = {},
): Tensor {
  const { attentionLayer, params } = attentionOfHead(check, model, layer, head);
  checkTokens(check, model, tokens);
  const { weight } = model.params.output ?? model.params.embedding;
  check.each({ "params.output.weight": weight }, isTensor, "a tensor", "load the model without `quantize`.");
  // A classifier has fewer outputs than its vocabulary has tokens.
  const numOutputs = weight.shape[0]!;
  const expected = `ids below ${numOutputs}, as the output has ${numOutputs} rows`;
  check.each({ tokens }, () => tokens.every((id) => id < numOutputs), expected, "leave the others out.");
  const value = projectRows(
    attentionLayer as AttentionLayer,
    params.attention,
    rows ? attentionRows(model, params, rows) : tokenRows(model, params, tokens),
    "value",
    0,
  );
  const headValues = headRows(value, head, attentionLayer.config.numHeads); // [n, D]
  const D = headValues.shape[1]!;
  const output = params.attention.output.weight; // [C, H · D]
  // The two heads of a differential pair share the columns of the output projection.
  const column = head % (output.shape[1]! / D);
  const written = linear(headValues, slice(output, 1, column * D, column * D + D)); // [n, C]
  const scaledOutput = mul(written, model.params.norm.weight);
  const logits = linear(scaledOutput, weight); // [n, V]
  if (all) return logits;
  const columns = tokens.map((id) => slice(logits, 1, id, id + 1).data);
  const n = tokens.length;
  const values = Array.from({ length: n * n }, (_, i) => columns[i % n]![Math.floor(i / n)]!);
  return tensor(values, { shape: [n, n], dtype: logits.dtype as "float32" });
}

/**
 * The QK circuit of a head over tokens: the score of one token as the query and another as the key, if the residual stream
 * holds only their embeddings. Norms of queries and keys, rotary embedding and the scale of the query are applied; softcap and
 * biases are left out.
 *
 * @param options - `distance`: query position minus key position, in tokens. Default 0, where rotary embeddings cancel.
 * @returns `[n, n]`: a row for each query, a column for each key.
 * @throws {ArgumentError} If the model has no such head, or a token id is outside of its vocabulary.
 * @see "A Mathematical Framework for Transformer Circuits" (2021), https://transformer-circuits.pub/2021/framework
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { qkCircuit } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * qkCircuit({ config, params: init(1), apply }, { layer: 0, head: 1, tokens: [3, 1], distance: 1 }).shape; // => [2, 2]
 * ```
 */
export function qkCircuit(
  model: LensModel,
  options: CircuitOptions & { readonly distance?: number },
): Tensor {
  const given = qkChecks.options(options, ["layer", "head", "tokens", "distance"]);
  const { layer, head, tokens, distance = 0 } = given;
  const { attentionLayer, params } = attentionOfHead(qkChecks, model, layer, head);
  checkTokens(qkChecks, model, tokens);
  qkChecks.whole({ distance }, { min: 0, unit: "tokens" });
  const rows = tokenRows(model, params, tokens);
  const { config } = attentionLayer;
  const query = headRows(
    projectRows(attentionLayer as AttentionLayer, params.attention, rows, "query", distance),
    head,
    config.numHeads,
  );
  const key = headRows(
    projectRows(attentionLayer as AttentionLayer, params.attention, rows, "key", 0),
    head,
    config.numHeads,
  );
  const D = query.shape[1]!;
  const qkNorm = "qkNorm" in config ? config.qkNorm : undefined;
  return mul(linear(query, key), config.scale ?? qkNorm?.scale(D) ?? 1 / Math.sqrt(D));
}

/**
 * The fraction of tokens that a head copies: those whose own logit is among the highest if the head attends to their embedding
 * alone.
 *
 * @param options - `tokens`: ids to try. `topK`: the number of highest logits, default 5.
 * @returns From 0 to 1.
 * @throws {ArgumentError} If the model has no such head, or a token id is outside of its vocabulary.
 * @see "Interpretability in the Wild" (2022), arXiv:2211.00593
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { copyingScore } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * copyingScore({ config, params: init(1), apply }, { layer: 0, head: 1, tokens: [3, 1, 4], topK: 11 }); // => 1
 * ```
 */
export function copyingScore(model: LensModel, options: CircuitOptions & { readonly topK?: number }): number {
  const given = copyingChecks.options(options, ["layer", "head", "tokens", "topK"]);
  const { layer, head, tokens, topK: count = 5 } = given;
  copyingChecks.whole({ topK: count }, { min: 1 });
  return copiedTokens(copyingChecks, model, { layer, head, tokens, topK: count }) / tokens.length;
}

/**
 * The number of tokens that a head copies.
 *
 * @param rows - Rows of the stream `[1, n, C]` that the head attends to, one for each token. Default: their embeddings.
 */
export function copiedTokens(
  check: Checks,
  model: LensModel,
  { layer, head, tokens, topK: count }: CircuitOptions & { readonly topK: number },
  rows?: Tensor,
): number {
  const logits = ovLogits(check, model, { layer, head, tokens }, { all: true, rows });
  const width = Math.min(count, logits.shape[1]!);
  const highest = topK(logits, width, { axis: 1 }).indices.data;
  const isCopied = (id: number, i: number) => highest.slice(i * width, (i + 1) * width).includes(id as never);
  return tokens.filter(isCopied).length;
}

/** Queries, keys or values `[1, heads, n, D]` of rows `[1, n, C]`, all at the same position. */
function projectRows(
  layer: AttentionLayer,
  params: AttentionParams,
  rows: Tensor,
  name: "query" | "key" | "value",
  position: number,
): Tensor {
  const tensors: Record<string, Tensor> = {};
  const positions = new Int32Array(rows.shape[1]!).fill(position);
  layer.apply(params, rows, { positions, trace: { names: [name], tensors } });
  return tensors[name]!;
}

const ovChecks: Checks = /* @__PURE__ */ checks("ovCircuit");
const qkChecks: Checks = /* @__PURE__ */ checks("qkCircuit");
const copyingChecks: Checks = /* @__PURE__ */ checks("copyingScore");
