import { additive, type AdditiveParams } from "@qkv/attention";
import { linear, reshape, slice, softmax, tensor, type Tensor } from "@qkv/tensor";
import type { TranslatorAttention } from "@qkv/transformer";
import type { DecodedLetter, EncoderDecoderAttentionModel } from "@qkv/viz/figures/encoder-decoder-attention";
import { dateLetters, dateTranslator, hiddenDim } from "./date-translator.js";
import { weightsFromText } from "../half-weights.js";
import { madeBy, weights } from "./weights.js";

/** Translates a date, and records the inputs and outputs of each attention call. */
export function translateDate(text: string): Omit<EncoderDecoderAttentionModel, "target"> {
  const calls: Call[] = [];
  const model = dateTranslator(recordedAttention(calls));
  const params = weightsFromText(model.init(0), weights);
  const encoded = model.encode(params, tensor([dateLetters.encode(text)], { dtype: "int32" }));
  // A date such as 2024-05-17 has 10 characters, and the end token.
  const [ids = []] = model.greedyDecode(params, encoded, { startId: dateLetters.startId, length: 11 });
  const end = ids.indexOf(dateLetters.endId);
  const written = end < 0 ? ids : ids.slice(0, end);
  // The calls of decoding are dropped: one pass over the whole output records each once. There is one more call than letters:
  // its query is the state after the last letter.
  calls.length = 0;
  const input = tensor([[dateLetters.startId, ...written]], { dtype: "int32" });
  const probabilities = softmax(model.apply(params, encoded, input), { axis: 2 });
  const rows = calls.map(({ query, scores, weights, context }) => ({
    state: flatNumbers(query),
    projectedQuery: flatNumbers(linear(query, params.attention.query.weight)),
    scores: flatNumbers(scores),
    weights: flatNumbers(weights),
    context: flatNumbers(context),
  }));
  const decoded = written.map((id, t): DecodedLetter => {
    const row = flatNumbers(slice(probabilities, 1, t, t + 1));
    const order = row.map((probability, id) => ({ probability, id }));
    order.sort((a, b) => b.probability - a.probability);
    const second = order.find((one) => one.id !== id)!;
    return {
      letter: tokenLetter(id),
      probability: row[id]!,
      second: { letter: tokenLetter(second.id), probability: second.probability },
      ...rows[t]!,
      next: rows[t + 1]!.state,
    };
  });
  const letterRows = (x: Tensor) => [...text].map((_, j) => flatNumbers(slice(x, 1, j, j + 1)));
  return {
    source: [...text],
    annotations: letterRows(encoded.annotations),
    projectedKeys: letterRows(linear(encoded.annotations, params.attention.key.weight)),
    scoreWeights: flatNumbers(params.attention.score.weight),
    decoded,
    madeBy,
  };
}

/** One call of attention by the decoder. */
type Call = { query: Tensor; scores: Tensor; weights: Tensor; context: Tensor };

/** The attention of the translator, which records the inputs and outputs of each call. */
function recordedAttention(calls: Call[]): TranslatorAttention<AdditiveParams> {
  const layer = additive({ queryDim: hiddenDim, keyDim: hiddenDim, hiddenDim });
  return {
    init: (seed) => layer.init(seed),
    apply(params, query, key, value, options) {
      const tensors: Record<string, Tensor> = {};
      const trace = { names: ["scores", "weights"] as const, tensors };
      const context = layer.apply(params, query, key, value, { ...options, trace });
      calls.push({ query, scores: tensors["scores"]!, weights: tensors["weights"]!, context });
      return context;
    },
  };
}

const flatNumbers = (x: Tensor): number[] => Array.from(reshape(x, [-1]).data, Number);

/** Character of a token, "end" for the end token, "none" for start and padding. */
const tokenLetter = (id: number): string =>
  id === dateLetters.endId ? "end" : id >= dateLetters.startId ? "none" : dateLetters.decode([id]);
