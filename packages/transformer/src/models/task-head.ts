import { checks, type Checks } from "@qkv/core";
import type { LinearParams } from "@qkv/attention";
import {
  add,
  arange,
  cast,
  checkTensor,
  concat,
  equal,
  expandDims,
  linear,
  matmul,
  max,
  mul,
  ones,
  randn,
  reshape,
  sigmoid,
  slice,
  softmax,
  splitSeed,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import { activationFunction, type Activation } from "../layers/activation.js";
import { checkParams } from "../layers/check-params.js";
import { norm, type NormParams } from "../layers/norm.js";
import { meanPooling } from "./mean-pooling.js";

/**
 * A task head on the rows of an encoder. `pooler`: one row per text. `sequence`: logits of
 * labels per text. `token`: logits of labels per token. `span`: for each token, logits of starting and ending an answer.
 * `image`: logits of labels per image.
 */
export type TaskHeadConfig = {
  task: "pooler" | "sequence" | "token" | "span" | "image";
  /** Names of the labels, along the last axis. A pooler has none; for spans they are `start` and `end`. */
  labels: readonly string[];
  /**
   * Pooling for `pooler`, `sequence` and `image`: the first token, the mean of all, the last
   * token (decoders), the mean of image patches (`patches`), or the first token and that mean concatenated. Default `cls`.
   */
  pooling?: "cls" | "mean" | "last" | "patches" | "cls+patches";
  /** Activation of a dense layer `[C, C]` before the projection to labels. Default: no such layer. */
  activation?: Activation;
  /** Epsilon of a norm after the dense layer (ModernBERT). Default: no norm. */
  normEps?: number;
  /**
   * Meaning of logits: exactly one label applies (`softmax`), each independently (`sigmoid`), or logits are regression outputs (`none`).
   * Default `softmax`.
   */
  scores?: "softmax" | "sigmoid" | "none";
  /** A second projection for the distillation token; logits are the mean of both (DeiT). Default false. */
  distillation?: boolean;
};

/** Params of a head. N is the number of labels. */
export type TaskHeadParams = {
  /** `[C, C]`, with `activation`. */
  dense?: LinearParams;
  /** `[C]`, with `normEps`. */
  norm?: NormParams;
  /** `[N, C]`, or `[N, 2C]` with `cls+patches`. Absent in a pooler. */
  output?: LinearParams;
  /** `[N, C]`, with `distillation`. */
  distillation?: LinearParams;
};

/** The part of an encoder that a head uses. */
type ModelWithHead = {
  readonly config: {
    readonly embedDim: number;
    readonly head?: TaskHeadConfig;
    readonly distillationToken?: boolean;
    readonly registers?: number;
  };
  readonly params: { readonly head?: TaskHeadParams };
};

export type TaskLogitsOptions = {
  /** `[B, T]`: 1 or true for tokens, 0 or false for padding, which is excluded from pooling. Default: no padding. */
  attentionMask?: Tensor;
};

/**
 * Applies the head of an encoder. Returns logits of labels for texts, tokens or answer spans, or pooled rows.
 *
 * @param model - An encoder with a head, from `loadEncoder`.
 * @param rows - `[B, T, C]`, from the model's `apply`.
 * @returns `sequence`: `[B, N]`. `token` and `span`: `[B, T, N]`. `pooler`: `[B, C]`.
 * @throws {ArgumentError} If the model has no head.
 * @see "BERT: Pre-training of Deep Bidirectional Transformers" (2018), arXiv:1810.04805, section 4
 *
 * @example
 * ```ts
 * import { encoder, labelScores, taskLogits } from "@qkv/transformer";
 *
 * const head = { task: "sequence", labels: ["bad", "good"], activation: "tanh" } as const;
 * const bert = encoder({
 *   vocabSize: 11, embedDim: 8, hiddenDim: 32, numLayers: 2, numHeads: 2, contextLength: 16, numTypes: 2, normEps: 1e-12, head,
 * });
 * const model = { ...bert, params: bert.init(1), tokenizer: undefined };
 * const logits = taskLogits(model, model.apply(model.params, [3, 1, 4]));
 * logits.shape; // => [1, 2]
 * labelScores(head, logits).shape; // => [1, 2]
 * ```
 */
export function taskLogits(model: ModelWithHead, rows: Tensor, options?: TaskLogitsOptions): Tensor {
  const check: Checks = checks("taskLogits");
  const { attentionMask } = check.options(options, ["attentionMask"]);
  const { config, params } = (model ?? {}) as Partial<ModelWithHead>;
  const head = config?.head;
  if (!head || !params?.head) {
    return check.refuse({
      argument: "model",
      received: "an encoder without a head for a task",
      expected: "one that was saved with its head, as BertForSequenceClassification",
      fix: "load such a checkpoint, or make the encoder with `head`.",
    });
  }
  checkParams(check, params.head, [
    ...(head.activation === undefined ? [] : ["dense.weight"]),
    ...(head.normEps === undefined ? [] : ["norm.weight"]),
    ...(head.task === "pooler" ? [] : ["output.weight"]),
    ...(head.distillation ? ["distillation.weight"] : []),
  ]);
  checkTensor("taskLogits", "rows", rows);
  const { dense, norm: normParams, output, distillation } = params.head;
  const { distillationToken, registers = 0 } = config;
  const firstPatch = (distillationToken ? 2 : 1) + registers;
  let x =
    head.task === "token" || head.task === "span" ? rows : pooled(head, rows, firstPatch, attentionMask);
  if (head.activation !== undefined) {
    x = activationFunction("taskLogits", head.activation)(linear(x, dense!.weight, dense!.bias));
  }
  if (head.normEps !== undefined) {
    x = norm({ kind: "layer", embedDim: config.embedDim, eps: head.normEps }).apply(normParams!, x);
  }
  if (!output) return x;
  const logits = linear(x, output.weight, output.bias);
  if (!head.distillation) return logits;
  const distilled = linear(rowAt(rows, 1), distillation!.weight, distillation!.bias);
  return mul(add(logits, distilled), 0.5);
}

/** Pools the rows of each text or image, `[B, C]`. `firstPatch`: index of the first image patch. */
function pooled(
  { pooling }: TaskHeadConfig,
  rows: Tensor,
  firstPatch: number,
  attentionMask: Tensor | undefined,
): Tensor {
  if (pooling === "mean") return meanPooling(rows, attentionMask);
  const patches = () => meanPooling(slice(rows, 1, firstPatch));
  if (pooling === "patches") return patches();
  if (pooling === "last")
    return attentionMask ? lastRow(rows, attentionMask) : rowAt(rows, rows.shape[1]! - 1);
  const first = rowAt(rows, 0);
  return pooling === "cls+patches" ? concat([first, patches()], 1) : first;
}

/** One row of each text or image, `[B, C]`. */
const rowAt = (rows: Tensor, position: number): Tensor =>
  reshape(slice(rows, 1, position, position + 1), [rows.shape[0]!, rows.shape[2]!]);

/** The row of the last token of each text, with padding on either side. */
function lastRow(rows: Tensor, attentionMask: Tensor): Tensor {
  const [B, T, C] = rows.shape as [number, number, number];
  const positions = reshape(arange(1, T + 1, 1, { device: rows.device }), [1, T]);
  const tokenPositions = mul(cast(attentionMask, "float32"), positions); // [B, T]: positions from 1, 0 for padding
  const isLast = equal(tokenPositions, max(tokenPositions, { axis: 1, keepDims: true }));
  return reshape(matmul(expandDims(cast(isLast, rows.dtype), 1), rows), [B, C]);
}

/**
 * Scores of labels, as the head's `scores` states: probabilities that sum to 1, independent probabilities, or the logits.
 *
 * @param head - The configuration of the head.
 * @param logits - `[…, N]`, from {@link taskLogits}.
 * @returns `[…, N]`
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { labelScores } from "@qkv/transformer";
 *
 * const head = { task: "sequence", labels: ["toxic", "threat"], scores: "sigmoid" } as const;
 * labelScores(head, tensor([[0, 0]])).toNested(); // => [[0.5, 0.5]]
 * ```
 */
export function labelScores(head: TaskHeadConfig, logits: Tensor): Tensor {
  checkTensor("labelScores", "logits", logits);
  const { scores = "softmax" } = head;
  if (scores === "none") return logits;
  return scores === "sigmoid" ? sigmoid(logits) : softmax(logits, { axis: -1 });
}

const names = /* @__PURE__ */ Object.keys({
  task: 0,
  labels: 0,
  pooling: 0,
  activation: 0,
  normEps: 0,
  scores: 0,
  distillation: 0,
} satisfies Record<keyof TaskHeadConfig, 0>) as (keyof TaskHeadConfig)[];

/** Refuses an invalid head configuration. */
export function checkTaskHead(check: Checks, head: TaskHeadConfig): void {
  const {
    task,
    labels,
    pooling = "cls",
    activation,
    normEps,
    scores = "softmax",
    distillation = false,
  } = check.options(head, names, "config.head");
  check.oneOf({ "head.task": task }, ["pooler", "sequence", "token", "span", "image"]);
  check.oneOf({ "head.pooling": pooling }, ["cls", "mean", "last", "patches", "cls+patches"]);
  check.oneOf({ "head.scores": scores }, ["softmax", "sigmoid", "none"]);
  check.type({ "head.distillation": distillation }, "boolean");
  const distillsOnlyImages = () => task === "image" || !distillation;
  check.each(
    { "head.distillation": distillation },
    distillsOnlyImages,
    "false, as `task` is no image",
    "leave it out.",
  );
  check.list({ "head.labels": labels }, "texts", (label) => typeof label === "string");
  const fits = () => (task === "pooler" ? labels.length === 0 : task !== "span" || labels.length === 2);
  const fix = "name each number of the last axis.";
  const count = task === "pooler" ? "no labels, as a pooler has none" : "two labels: start and end";
  check.each({ "head.labels": labels }, fits, count, fix);
  if (activation !== undefined) activationFunction("encoder", activation);
  if (normEps !== undefined) check.finite({ "head.normEps": normEps }, { min: 0 });
}

/** Width of the pooled rows. */
export const pooledWidth = ({ pooling }: Pick<TaskHeadConfig, "pooling">, embedDim: number): number =>
  pooling === "cls+patches" ? 2 * embedDim : embedDim;

/** Initial params of a head: matrices are normal with variance 1 / fan-in, biases 0. */
export function initTaskHead(head: TaskHeadConfig, embedDim: number, seed: number): TaskHeadParams {
  const seeds = splitSeed(seed, ["dense", "output"]);
  const randomLinear = (seed: number, out: number, inner = embedDim): LinearParams => ({
    weight: mul(randn([out, inner], { seed }), 1 / Math.sqrt(inner)),
    bias: zeros([out]),
  });
  return {
    ...(head.activation !== undefined && { dense: randomLinear(seeds.dense, embedDim) }),
    ...(head.normEps !== undefined && { norm: { weight: ones([embedDim]), bias: zeros([embedDim]) } }),
    ...(head.task !== "pooler" && {
      output: randomLinear(seeds.output, head.labels.length, pooledWidth(head, embedDim)),
    }),
    ...(head.distillation && {
      distillation: randomLinear(splitSeed(seeds.output, 2)[1]!, head.labels.length),
    }),
  };
}
