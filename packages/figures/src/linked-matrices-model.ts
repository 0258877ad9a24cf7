import { checks, ShapeError, type Checks } from "@qkv/core";
import type { Tensor } from "@qkv/tensor";
import {
  linkedMatrices,
  type LinkedMatricesChoices,
  type LinkedMatricesModel,
  type TracedHead,
} from "@qkv/viz/figures/linked-matrices";
import { gapTexts } from "./linked-matrices/animal-sounds.js";
import type { AttentionTrace, LinkedMatricesTrace } from "./linked-matrices/trace.js";

export type { AttentionTrace, LinkedMatricesTrace } from "./linked-matrices/trace.js";

/** Tolerance of rounding. */
const tolerance = 1e-4;
const maxSizes = { T: 16, S: 16, D: 64 };

/**
 * Makes *Matrices that answer* from any traced attention: `tracedAttention(query, key, value, options, ["scores",
 * "weights"])`, or what a model's trace holds. Scores, weights and output must be those of these queries, keys and
 * values, which is checked number by number.
 *
 * @throws {ArgumentError} If there is no model or no layer, names are too few or too many, or the trace has a part that
 *   the figure does not draw: a bias, a cap, a learned sink.
 * @throws {ShapeError} If a tensor has another shape, more than 16 queries or keys, or a head size above 64.
 *
 * @example
 * ```ts
 * import { causal, tracedAttention } from "@qkv/attention";
 * import { linkedMatricesModel } from "@qkv/figures/linked-matrices";
 * import { randn } from "@qkv/tensor";
 *
 * const [query, key, value] = [1, 2, 3].map((seed) => randn([1, 2, 3, 4], { seed }));
 * const traced = tracedAttention(query, key, value, { mask: causal() }, ["scores", "weights"]);
 * const layers = [{ query, key, value, ...traced }];
 * const model = await linkedMatricesModel({ tokens: ["a", "b", "c"], models: [{ id: "own", name: "Own", layers }] });
 * model.models[0].layers[0].length; // => 2
 * ```
 */
export async function linkedMatricesModel(trace: LinkedMatricesTrace): Promise<LinkedMatricesModel> {
  const check = checks("linkedMatricesModel");
  const { tokens, keyTokens, row, source, models } = check.options(
    trace,
    ["tokens", "keyTokens", "row", "source", "models"],
    "trace",
  );
  check.list({ "trace.tokens": tokens }, "texts", (token) => typeof token === "string");
  if (keyTokens) check.list({ "trace.keyTokens": keyTokens }, "texts", (token) => typeof token === "string");
  const named = (one: unknown) => {
    const { id, name, layers } = (one ?? {}) as Record<string, unknown>;
    return typeof id === "string" && typeof name === "string" && Array.isArray(layers) && layers.length > 0;
  };
  check.list({ "trace.models": models }, "models, each { id, name, layers }, one or more", named);
  if (models.length === 0)
    check.each(
      { "trace.models": models },
      () => false,
      "one or more",
      "give the model whose attention was traced.",
    );
  if (row !== undefined) check.whole({ "trace.row": row }, { min: 0, max: tokens.length - 1 });
  const names = [tokens.length, (keyTokens ?? tokens).length] as const;
  return {
    tokens,
    ...(keyTokens && { keyTokens }),
    ...(row !== undefined && { row }),
    ...(source !== undefined && { source }),
    models: await Promise.all(
      models.map(async ({ layers, ...model }) => ({
        ...model,
        batchSize: layers[0]!.query.shape[0]!,
        numKvHeads: layers[0]!.key.shape[1]!,
        layers: await Promise.all(
          layers.map((layer, i) => tracedHeads(check, layer, `layer ${i} of ${model.name}`, names)),
        ),
      })),
    ),
  };
}

/**
 * A small BERT and a small GPT of the same size, trained on the same text: *the cat meows*, *the dog barks* and so on. The
 * attention is traced in their forward passes. The weights come with the package, in float16, and are loaded when needed.
 *
 * @param choices - `text`: one of the four that the figure offers, each with a gap.
 * @throws {ArgumentError} If `text` is another.
 *
 * @example
 * ```ts
 * import { linkedMatricesExample } from "@qkv/figures/linked-matrices";
 *
 * const { models } = await linkedMatricesExample({ text: "the ? moos ." });
 * models.map(({ name, note }) => `${name}: ${note}`); // => ["BERT: fills the gap with “cow”, 98%", "GPT: fills the gap with “dog”, 27%"]
 * ```
 */
export async function linkedMatricesExample(
  choices: Partial<Pick<LinkedMatricesChoices, "text">> = {},
): Promise<LinkedMatricesModel> {
  const check = checks("linkedMatricesExample");
  const { text } = { ...linkedMatrices.initial, ...check.options(choices, ["text"]) };
  check.oneOf({ text }, gapTexts);
  const { animalTrace } = await import("./linked-matrices/animal-trace.js");
  return { ...(await linkedMatricesModel(animalTrace(text))), texts: gapTexts };
}

/** The heads of a layer, recomputed from queries, keys and values, and compared with the trace. */
async function tracedHeads(
  check: Checks,
  trace: AttentionTrace,
  of: string,
  names: readonly [number, number],
): Promise<TracedHead[]> {
  const { query, key, value, scores, weights, output } = trace;
  const [B, H, T, D] = query.shape as [number, number, number, number];
  const [, G, S] = key.shape as [number, number, number, number];
  const { scale = 1 / Math.sqrt(D) } = trace;
  const expected = {
    query: [B, H, names[0], D],
    key: [B, G, names[1], D],
    value: [B, G, names[1], D],
    scores: [B, H, T, S],
    weights: [B, H, T, S],
    output: [B, H, T, D],
  };
  const tensors = { query, key, value, scores, weights, output };
  for (const [name, shape] of Object.entries(expected)) {
    const actual = tensors[name as keyof typeof tensors].shape;
    if (actual.length === 4 && actual.every((size, i) => size === shape[i])) continue;
    check.refuse(
      {
        argument: `${name} of ${of}`,
        received: actual,
        expected: `[${shape.join(", ")}]`,
        fix: "give a token for each query, and the tensors of one call: query [B, H, T, D], key and value [B, Hkv, S, D].",
      },
      ShapeError,
    );
  }
  if (T > maxSizes.T || S > maxSizes.S || D > maxSizes.D || H % G !== 0) {
    check.refuse(
      {
        argument: `query of ${of}`,
        received: query.shape,
        expected: `at most ${maxSizes.T} queries and keys, a head size of at most ${maxSizes.D}, and query heads in equal groups`,
        fix: "trace a shorter text.",
      },
      ShapeError,
    );
  }
  const read = async (x: Tensor) => Array.from(await x.read(), Number);
  const [q, k, v, s, a, o] = (await Promise.all([query, key, value, scores, weights, output].map(read))) as [
    number[],
    number[],
    number[],
    number[],
    number[],
    number[],
  ];
  const part = (data: readonly number[], head: number, rows: number, columns: number) => ({
    data: data.slice(head * rows * columns, (head + 1) * rows * columns),
    shape: [rows, columns],
  });
  return Array.from({ length: H }, (_, h): TracedHead => {
    const g = Math.floor(h / (H / G));
    const [query, key, value] = [part(q, h, T, D), part(k, g, S, D), part(v, g, S, D)];
    const [masked, weights, output] = [part(s, h, T, S), part(a, h, T, S), part(o, h, T, D)];
    const dot = (t: number, j: number) => {
      let sum = 0;
      for (let d = 0; d < D; d++) sum += query.data[t * D + d]! * key.data[j * D + d]!;
      return sum;
    };
    const dots = Array.from({ length: T * S }, (_, i) => dot(Math.floor(i / S), i % S));
    const scores = dots.map((each) => each * scale);
    const seen = masked.data.map((each) => (each === -Infinity ? 0 : 1));
    const head: TracedHead = {
      ...{ query, key, value, scale, weights, output },
      dots: { data: dots, shape: [T, S] },
      scores: { data: scores, shape: [T, S] },
      seen: { data: seen, shape: [T, S] },
    };
    compare(check, head, masked.data, `head ${h} of ${of}`);
    return head;
  });
}

/** Refuses a head whose scores, weights or output are not those of its queries, keys and values. */
function compare(check: Checks, head: TracedHead, masked: readonly number[], of: string): void {
  const [T, S] = head.weights.shape as [number, number];
  const D = head.value.shape[1]!;
  const { data: scores } = head.scores;
  const differences = { scores: 0, weights: 0, output: 0 };
  const grow = (name: keyof typeof differences, a: number, b: number) => {
    const relativeDifference = Math.abs(a - b) / Math.max(1, Math.abs(a));
    differences[name] = Math.max(
      differences[name],
      Number.isNaN(relativeDifference) ? Infinity : relativeDifference,
    );
  };
  for (let t = 0; t < T; t++) {
    const row = Array.from({ length: S }, (_, j) =>
      head.seen.data[t * S + j] === 0 ? -Infinity : scores[t * S + j]!,
    );
    const largest = Math.max(...row);
    const exps = row.map((score) => (largest === -Infinity ? 0 : Math.exp(score - largest)));
    const total = exps.reduce((sum, each) => sum + each, 0) || 1;
    row.forEach((score, j) => {
      if (score > -Infinity) grow("scores", score, masked[t * S + j]!);
      grow("weights", exps[j]! / total, head.weights.data[t * S + j]!);
    });
    for (let d = 0; d < D; d++) {
      let sum = 0;
      for (let j = 0; j < S; j++) sum += (exps[j]! / total) * head.value.data[j * D + d]!;
      grow("output", sum, head.output.data[t * D + d]!);
    }
  }
  const wrong = (["scores", "weights", "output"] as const).find((name) => !(differences[name] <= tolerance));
  if (wrong === undefined) return;
  check.refuse({
    argument: `${wrong} of ${of}`,
    received: `numbers that differ by up to ${differences[wrong].toPrecision(2)} from those of its query, key and value`,
    expected: "softmax(query · keyᵀ · scale + mask) · value",
    fix: "give the tensors of one call and its scale. A bias, a cap and a learned sink are not drawn.",
  });
}
