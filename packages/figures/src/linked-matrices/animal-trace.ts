import { causal, tracedAttention, type AttentionParams, type Mask } from "@qkv/attention";
import { linear, reshape, softmax, tensor, transpose, type Tensor } from "@qkv/tensor";
import { norm } from "@qkv/transformer";
import { weightsFromText } from "../half-weights.js";
import type { AttentionTrace, LinkedMatricesTrace } from "./trace.js";
import { answersTo, bert, gpt, wordId } from "./animal-sounds.js";
import { bertWeights, gptWeights } from "./weights.js";

/** Attention of the two models on a text with a gap, and how each fills it. */
export function animalTrace(text: string): LinkedMatricesTrace {
  const tokens = text.split(" ");
  const gap = tokens.indexOf("?");
  const ids = tensor([tokens.map(wordId)], { dtype: "int32" });
  return {
    tokens,
    row: gap,
    source:
      "Two small models of the same size, trained on the same 300 sentences of four kinds, such as “the cat meows .”: BERT on masked words, GPT on the next word.",
    models: [
      { id: "bert", name: "BERT", ...traceBert(ids, gap, text) },
      { id: "gpt", name: "GPT", ...traceGpt(ids, gap, text) },
    ],
  };
}

function traceBert(ids: Tensor, gap: number, text: string) {
  const model = bert();
  const params = weightsFromText(model.init(0), bertWeights);
  const tensors: Record<string, Tensor> = {};
  const rows = model.apply(params, ids, { trace: { names: ["embeddings", "weights"], tensors } });
  const layers = [
    traceAttention(
      params.layers[0]!.attention,
      tensors["embeddings"]!,
      model.config.numHeads,
      undefined,
      tensors,
    ),
  ];
  return { layers, note: answerNote(model.maskedTokenLogits(params, rows), gap, text) };
}

function traceGpt(ids: Tensor, gap: number, text: string) {
  const model = gpt();
  const params = weightsFromText(model.init(0), gptWeights);
  const tensors: Record<string, Tensor> = {};
  const logits = model.apply(params, ids, { trace: { names: ["embeddings", "weights"], tensors } });
  const { embedDim, normEps, numHeads, norm: kind = "rms" } = model.config;
  const layer = params.layers[0]!;
  const x = norm({ kind, embedDim, eps: normEps }).apply(layer.attentionNorm, tensors["embeddings"]!);
  const layers = [traceAttention(layer.attention, x, numHeads, causal(), tensors)];
  // GPT predicts the gap from the word before it.
  return { layers, note: answerNote(logits, gap - 1, text) };
}

/** Traced attention of a layer on its input, with the weights of the model's forward pass. */
function traceAttention(
  params: AttentionParams,
  x: Tensor,
  numHeads: number,
  mask: Mask | undefined,
  tensors: Readonly<Record<string, Tensor>>,
): AttentionTrace {
  const [, T, C] = x.shape as [number, number, number];
  const heads = ({ weight, bias }: AttentionParams["query"]) =>
    transpose(reshape(linear(x, weight, bias), [1, T, numHeads, C / numHeads]), 1, 2);
  const [query, key, value] = [heads(params.query), heads(params.key), heads(params.value)];
  const { scores, output } = tracedAttention(query, key, value, mask ? { mask } : {}, ["scores"]);
  return { query, key, value, scores, output, weights: tensors["layers.0.attention.weights"]! };
}

/** Sentence about the most probable word at a position, of the possible ones. */
function answerNote(logits: Tensor, position: number, text: string): string {
  const V = logits.shape[2]!;
  const { data } = softmax(logits, { axis: 2 });
  const answers = answersTo(text).map((word) => ({
    word,
    probability: Number(data[position * V + wordId(word)]),
  }));
  const { word, probability } = answers.reduce((best, each) =>
    each.probability > best.probability ? each : best,
  );
  return `fills the gap with “${word}”, ${Math.round(100 * probability)}%`;
}
