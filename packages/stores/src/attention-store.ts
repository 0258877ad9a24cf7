import { checks, type Checks } from "@qkv/core";
import { attentionWeights, type AttentionOptions } from "@qkv/attention";
import type { Tensor, TypedArray } from "@qkv/tensor";
import { resultStore, type ResultStore } from "./result-store.js";

/** The input of an attention store: a model with a text, or the tensors of one attention call. */
export type AttentionSubject =
  | {
      /** A model in this thread, with its tokenizer. */
      readonly model: object;
      /** Text, or token ids: at least one token, and at most the context length of the model. */
      readonly text: string | readonly number[];
    }
  | {
      /** `[B, H, T, D]` */
      readonly query: Tensor;
      /** `[B, Hkv, S, D]` */
      readonly key: Tensor;
      /** Mask, bias and others, as `attention` takes them. */
      readonly options?: AttentionOptions;
    };

/** Attention weights with their shape, as plain data for `@qkv/viz` and custom elements. */
export type Weights = { readonly data: TypedArray; readonly shape: readonly number[] };

/** The result of an attention store. */
export type AttentionView = {
  /** The text of each token; empty for an attention call. */
  readonly tokens: readonly string[];
  /** `[L, H, T, T]` for a model and a text, where L counts layers with attention; `[B, H, T, S]` for a call. */
  readonly weights: Weights;
};

/** A store for attention weights. */
export type AttentionStore = ResultStore<[subject: AttentionSubject], AttentionView>;

/**
 * Attention as a store: `run({ model, text })` computes the weights of every head of a model on a text, `run({ query, key })` those of
 * one call. They are plain data, for `<qkv-head-grid>`, `<qkv-attention-map>` and the functions of `@qkv/viz`.
 *
 * @example
 * ```ts
 * import { attentionStore } from "@qkv/stores";
 * import { randn } from "@qkv/tensor";
 *
 * const store = attentionStore();
 * const query = randn([1, 2, 3, 4], { seed: 1 });
 * const { result } = await store.run({ query, key: query });
 * result?.weights.shape; // => [1, 2, 3, 3]
 * ```
 */
export function attentionStore(): AttentionStore {
  return resultStore((signal, subject) => computeAttention(subject, signal));
}

/**
 * Selects the weights of one head, `[T, S]`.
 *
 * @param weights - `[L, H, T, S]`
 * @param layer - The first axis: a layer, or a batch element.
 * @throws {ArgumentError} If there is no such head.
 *
 * @example
 * ```ts
 * import { headWeights } from "@qkv/stores";
 *
 * const weights = { data: Float32Array.of(1, 0, 0.25, 0.75, 1, 0, 0.5, 0.5), shape: [1, 2, 2, 2] };
 * [...headWeights(weights, 0, 1).data]; // => [1, 0, 0.5, 0.5]
 * ```
 */
export function headWeights(weights: Weights, layer: number, head: number): Weights {
  const check = checks("headWeights");
  const shape = (weights as Partial<Weights> | null | undefined)?.shape;
  check.each(
    { weights: shape },
    (value) => Array.isArray(value) && value.length === 4,
    "weights [L, H, T, S]",
  );
  const [L, H, T, S] = weights.shape as [number, number, number, number];
  check.whole({ layer }, { min: 0, below: L });
  check.whole({ head }, { min: 0, below: H });
  const start = (layer * H + head) * T * S;
  return { data: weights.data.subarray(start, start + T * S), shape: [T, S] };
}

const check: Checks = /* @__PURE__ */ checks("attentionStore");

async function computeAttention(subject: AttentionSubject, signal: AbortSignal): Promise<AttentionView> {
  if (typeof subject !== "object" || subject === null || !("model" in subject || "query" in subject)) {
    check.refuse({
      argument: "subject",
      received: subject,
      expected: "{ model, text }, or { query, key }",
      fix: "pass a loaded model with a text.",
    });
  }
  if ("query" in subject) {
    const weights = attentionWeights(subject.query, subject.key, subject.options);
    return { tokens: [], weights: { data: await weights.read(), shape: weights.shape } };
  }
  const { apply, params, tokenizer, config } = subject.model as Partial<InThread>;
  if (typeof apply !== "function" || !params) {
    check.refuse({
      argument: "model",
      received: "a model of another thread",
      expected: "one in this thread, whose weights can be traced",
      fix: "load it by `load` of @qkv/transformer, which is the default runtime.",
    });
  }
  const ids =
    typeof subject.text === "string" ? (tokenizer?.encode(subject.text) ?? refuseText()) : subject.text;
  const contextLength = config?.contextLength ?? Infinity;
  if (ids.length === 0 || ids.length > contextLength) {
    check.refuse({
      argument: "text",
      received: `${ids.length} tokens`,
      expected: `1 to ${contextLength}, the context length of the model`,
      fix: ids.length === 0 ? "give a text that is not empty." : "give a shorter text, or a part of it.",
    });
  }
  const tensors: Record<string, Tensor> = {};
  apply(params, ids, { trace: { names: ["weights"], tensors } });
  const layers: TypedArray[] = [];
  const shapes: (readonly number[])[] = [];
  for (const [name, weights] of Object.entries(tensors)) {
    if (!/^layers\.\d+\.attention\.weights$/.test(name)) continue;
    signal.throwIfAborted();
    layers.push(await weights.read());
    shapes.push(weights.shape);
  }
  const size = layers[0]?.length ?? 0;
  const data = new Float32Array(layers.length * size);
  layers.forEach((layer, i) => data.set(layer, i * size));
  const tokens = Array.from(ids, (id) => tokenizer?.decode([id]) ?? String(id));
  return { tokens, weights: { data, shape: [layers.length, ...(shapes[0] ?? [1, 0, 0, 0]).slice(1)] } };
}

/** The used part of a model in this thread. */
type InThread = {
  apply(params: object, ids: readonly number[], options: object): unknown;
  params: object;
  config: { contextLength: number };
  tokenizer: { encode(text: string): number[]; decode(ids: readonly number[]): string } | undefined;
};

function refuseText(): never {
  return check.refuse({
    argument: "text",
    received: "a text",
    expected: "token ids, since the model has no tokenizer",
    fix: "load the model with `tokenizer`.",
  });
}
