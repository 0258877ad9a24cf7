import { rope, toGroupedQuery, type AttentionParams } from "@qkv/attention";
import { linear, reshape, slice, stack, type Tensor } from "@qkv/tensor";
import { candidates, norm, type DecoderParams, type Model } from "@qkv/transformer";

/** Content of the first page for a sentence. Weights are `[L, H, T, T]` row by row. */
export type Look = {
  tokens: string[];
  layers: number;
  heads: number;
  kvHeads: number;
  weights: Float32Array;
  /** Number of tokens that are single bytes of a character that is not in the vocabulary. */
  bytePieces: number;
  /** The most probable next tokens. */
  next: { text: string; probability: number }[];
};

/** A head of a model. */
export type HeadPlace = { layer: number; head: number };

/** The weights of one head, `[T, T]`. */
export function weightsOf({ weights, heads, tokens }: Look, { layer, head }: HeadPlace): Float32Array {
  const size = tokens.length ** 2;
  const start = (layer * heads + head) * size;
  return weights.subarray(start, start + size);
}

/** One query of one head, from its input row to its output. Keys are the visible ones. */
export type HeadDetail = {
  query: number[];
  keys: number[][];
  scores: number[];
  weights: number[];
  values: number[][];
  mixed: number[];
  writes: number[];
  /** The tokens whose logits the head's output raises most, in descending order. */
  favours: string[];
};

/** The longest text that the page reads. Unit: tokens. */
export const mostTokens = 48;

/** The same model with another number of key-value heads: heads are averaged, as in the conversion of GQA. */
export function withKvHeads(model: Model, kvHeads: number): Model {
  const { numHeads, numKvHeads, embedDim } = model.config;
  if (kvHeads === numKvHeads) return model;
  const headDim = model.config.headDim ?? embedDim / numHeads;
  const change = (params: AttentionParams): AttentionParams =>
    kvHeads < numKvHeads
      ? toGroupedQuery(params, { numHeads, numKvHeads: kvHeads })
      : {
          ...params,
          key: { weight: repeated(params.key.weight, headDim, kvHeads / numKvHeads) },
          value: { weight: repeated(params.value.weight, headDim, kvHeads / numKvHeads) },
        };
  const params: DecoderParams = {
    ...model.params,
    layers: model.params.layers.map((layer) => ({ ...layer, attention: change(layer.attention) })),
  };
  return { ...model, config: { ...model.config, numKvHeads: kvHeads }, params };
}

/** `[Hkv · D, C]` with each head repeated `times` times: the same attention with more stored heads. */
function repeated(weight: Tensor, headDim: number, times: number): Tensor {
  const [rows, C] = weight.shape as [number, number];
  const heads = reshape(weight, [rows / headDim, headDim, C]);
  return reshape(
    stack(
      Array.from({ length: times }, () => heads),
      1,
    ),
    [rows * times, C],
  );
}

/** The token ids of a text, the last ones if it is too long; an empty text gives the first id. */
export function idsOf(model: Model, text: string): number[] {
  const ids = model.tokenizer!.encode(text, { addSpecialTokens: false }).slice(-mostTokens);
  return ids.length > 0 ? ids : [0];
}

/**
 * Runs a text through the model, and returns the weights of all heads. `apply` must be that of the model with these
 * key-value heads.
 */
export async function lookAt(model: Model, apply: Model["apply"], text: string): Promise<Look> {
  const ids = idsOf(model, text);
  const { numLayers: L, numHeads: H, numKvHeads } = model.config;
  const tensors: Record<string, Tensor> = {};
  const logits = apply(model.params, ids, { last: 1, trace: { names: ["weights"], tensors } });
  const T = ids.length;
  const weights = new Float32Array(L * H * T * T);
  for (let layer = 0; layer < L; layer++) {
    const layerWeights = await tensors[`layers.${layer}.attention.weights`]!.read();
    weights.set(layerWeights as Float32Array, layer * H * T * T);
  }
  const likely = candidates(await logits.read(), { temperature: 1 }).slice(0, 5);
  return {
    tokens: ids.map((id) => textOf(model, id)),
    layers: L,
    heads: H,
    kvHeads: numKvHeads,
    weights,
    bytePieces: ids.filter((id) => isBytePiece(model, id)).length,
    next: likely.map(({ id, probability }) => ({ text: textOf(model, id), probability })),
  };
}

/** Computes the steps of one query in one head. */
export async function headAt(
  model: Model,
  apply: Model["apply"],
  ids: readonly number[],
  { layer, head, query }: { layer: number; head: number; query: number },
): Promise<HeadDetail> {
  const {
    embedDim: C,
    numHeads: H,
    numKvHeads,
    normEps,
    ropeBase = 10000,
    ropeLayout = "half",
  } = model.config;
  const D = model.config.headDim ?? C / H;
  const kvHead = Math.floor(head / (H / numKvHeads));
  const tensors: Record<string, Tensor> = {};
  apply(model.params, ids, { trace: { names: ["embeddings", "output", "scores", "weights"], tensors } });
  const entering = layer === 0 ? tensors["embeddings"]! : tensors[`layers.${layer - 1}.output`]!;
  const { attentionNorm, attention } = model.params.layers[layer]!;
  const x = norm({ kind: model.config.norm ?? "rms", embedDim: C, eps: normEps }).apply(
    attentionNorm,
    entering,
  );
  const T = ids.length;
  // Row i of head h in a projection of all tokens.
  const rows = async (weight: Tensor, h: number, rotary: boolean) => {
    const flat = linear(x, slice(weight, 0, h * D, (h + 1) * D)); // [1, T, D]
    const ropeOfModel = rope({ headDim: D, base: ropeBase, layout: ropeLayout });
    const rotated = rotary ? ropeOfModel.apply(reshape(flat, [1, 1, T, D]), { start: 0 }) : flat;
    const data = await rotated.read();
    return Array.from({ length: query + 1 }, (_, i) => Array.from(data.slice(i * D, (i + 1) * D), Number));
  };
  const queries = await rows(attention.query.weight, head, true);
  const keys = await rows(attention.key.weight, kvHead, true);
  const values = await rows(attention.value.weight, kvHead, false);
  const rowOf = async (name: string) => {
    const data = await tensors[`layers.${layer}.attention.${name}`]!.read();
    const start = (head * T + query) * T;
    return Array.from(data.slice(start, start + query + 1), Number);
  };
  const [scores, weights] = [await rowOf("scores"), await rowOf("weights")];
  const mixed = Array.from({ length: D }, (_, d) =>
    weights.reduce((sum, weight, s) => sum + weight * values[s]![d]!, 0),
  );
  const out = await slice(attention.output.weight, 1, head * D, (head + 1) * D).read(); // [C, D]
  const writes = Array.from({ length: C }, (_, c) =>
    mixed.reduce((sum, m, d) => sum + m * Number(out[c * D + d]), 0),
  );
  return {
    query: queries[query]!,
    keys,
    scores,
    weights,
    values,
    mixed,
    writes,
    favours: await favoursOf(model, writes),
  };
}

/** The tokens whose output rows have the largest products with the vector. */
async function favoursOf(model: Model, writes: readonly number[]): Promise<string[]> {
  const { embedDim: C, vocabSize } = model.config;
  const gain = await model.params.norm.weight.read();
  const table = await (model.params.output ?? model.params.embedding).weight.read();
  const pull = Array.from({ length: vocabSize }, (_, id) => {
    let sum = 0;
    for (let c = 0; c < C; c++) sum += Number(table[id * C + c]) * Number(gain[c]) * writes[c]!;
    return { id, sum };
  });
  return pull
    .sort((a, b) => b.sum - a.sum)
    .slice(0, 4)
    .map(({ id }) => textOf(model, id));
}

/** Text of a token; bytes of a character in hexadecimal, as `<F0 9F>`. */
function textOf(model: Model, id: number): string {
  if (!isBytePiece(model, id)) return model.tokenizer!.decode([id], { skipSpecialTokens: false });
  const bytes = Array.from(model.tokenizer!.token(id) ?? "", byteOf);
  return `<${bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ")}>`;
}

/** True if a token is a part of a character, which does not decode to text by itself. */
function isBytePiece(model: Model, id: number): boolean {
  return model.tokenizer!.decode([id], { skipSpecialTokens: false }).includes("\u{fffd}");
}

/** Inverse of GPT-2's byte-to-unicode map: unprintable bytes are mapped to U+0100 and following, in order. */
function byteOf(character: string): number {
  const code = character.codePointAt(0)!;
  return code < 256 ? code : unprintable[code - 256]!;
}

const unprintable = Array.from({ length: 256 }, (_, byte) => byte).filter(
  (byte) => byte <= 0x20 || (byte >= 0x7f && byte <= 0xa0) || byte === 0xad,
);
