// Exported ONNX graphs give the same outputs in ONNX Runtime as the models here.
import { padding } from "@qkv/attention";
import { growingCache } from "@qkv/kv-cache";
import * as tensors from "@qkv/tensor";
import {
  decoder,
  encoder,
  load,
  taskLogits,
  visionTransformer,
  type DecoderConfig,
  type DecoderParams,
  type VisionTransformerConfig,
} from "@qkv/transformer";
import { exportModel, memoryFolder, type ExportedModel, type ExportOptions } from "@qkv/transformer/export";
import * as ort from "onnxruntime-web";
import { beforeAll, describe, expect, test } from "vitest";
import { ownData } from "../reference-data.mjs";
import "@qkv/test-support/allclose";
import { casesByTier } from "../../scripts/tier.mjs";

const { decoderConfigs, encoderConfig, scaledParams, prompt } = (await import(
  new URL("../../scripts/random-models.mjs", import.meta.url).href
)) as {
  decoderConfigs: Record<string, DecoderConfig>;
  encoderConfig: Parameters<typeof encoder>[0];
  scaledParams<T>(ops: typeof tensors, params: T, embeddingScale?: number): T;
  prompt: number[];
};
const { greedyOnnx } = (await import(new URL("../../scripts/greedy-onnx.mjs", import.meta.url).href)) as {
  greedyOnnx(engine: object, config: DecoderConfig, prompts: number[][], count: number): Promise<Generated[]>;
};
const { tableConfigs, tableParams, refusedInOnnx } = (await import(
  new URL("../../scripts/random-table-models.mjs", import.meta.url).href
)) as {
  tableConfigs: Record<string, DecoderConfig>;
  tableParams(name: string, ops: typeof tensors, params: DecoderParams): DecoderParams;
  refusedInOnnx: Record<string, RegExp>;
};
const { onnxConfigs } = (await import(
  new URL("../../scripts/random-onnx-models.mjs", import.meta.url).href
)) as { onnxConfigs: Record<string, DecoderConfig> };
const { tensor } = tensors;
beforeAll(() => {
  ort.env.wasm.numThreads = 1;
});

/** Greedy tokens after a prompt, and the logits of each. */
type Generated = { ids: number[]; logits: Float32Array[] };
const chosen = (row: Float32Array) => row.indexOf(Math.max(...row));

function ours(config: DecoderConfig, params: DecoderParams, count: number, ids = prompt): Generated {
  const cache = growingCache({ numLayers: config.numLayers });
  const generated: Generated = { ids: [], logits: [] };
  for (let next = ids; generated.ids.length < count; next = generated.ids.slice(-1)) {
    const row = decoder(config).apply(params, next, { cache, last: 1 }).data as Float32Array;
    generated.ids.push(chosen(row));
    generated.logits.push(row);
  }
  return generated;
}

const int64 = (list: readonly number[], rows = 1) =>
  new ort.Tensor("int64", BigInt64Array.from(list, BigInt), [rows, list.length / rows]);

async function sessionOf(model: ExportedModel, options: Partial<ExportOptions> = {}) {
  const out = memoryFolder();
  await exportModel(model, { to: "onnx", ...options, out } as ExportOptions);
  const bytes = async (name: string) =>
    new Uint8Array(await out.files.find((file) => file.name === name)!.arrayBuffer());
  const external = out.files.some(({ name }) => name === "onnx/model.onnx_data")
    ? [{ path: "model.onnx_data", data: await bytes("onnx/model.onnx_data") }]
    : undefined;
  const session = await ort.InferenceSession.create(await bytes("onnx/model.onnx"), {
    ...(external && { externalData: external }),
    logSeverityLevel: 3,
  });
  return { session, files: out.files };
}

/** Generated tokens of a batch of prompts. */
const theirs = (
  session: ort.InferenceSession,
  config: DecoderConfig,
  count: number,
  prompts = [prompt],
): Promise<Generated[]> => greedyOnnx({ Tensor: ort.Tensor, session }, config, prompts, count);

/** Tolerance of float32, relative to the largest logit. */
function agree(got: Generated, expected: Generated, tolerance = 2e-5) {
  const within = { rtol: 0, atol: tolerance, scaled: true };
  got.logits.forEach((row, n) => expect(row).toBeAllclose(expected.logits[n]!, within));
  expect(got.ids).toEqual(expected.ids);
}

/** A random model with large weights, so that its outputs vary. */
function modelOf(config: DecoderConfig) {
  return { config, params: scaledParams(tensors, decoder(config).init(1), config.embeddingScale) };
}

describe.each(casesByTier(Object.entries(decoderConfigs), ([name]) => name === "gemma2"))(
  "%s",
  (_, config) => {
    test.each([23, 17] as const)("its 64 greedy tokens equal ours, with opset %d", async (opset) => {
      const { params } = modelOf(config);
      const expected = ours(config, params, 64);
      expect(new Set(expected.ids).size, "the continuation says something").toBeGreaterThan(5);
      const { session } = await sessionOf({ config, params }, { opset });
      // In a batch, each prompt has the same continuation as alone; the shorter prompt has left padding.
      const short = prompt.slice(3, 10);
      const [first, second] = await theirs(session, config, 64, [prompt, short]);
      agree(first!, expected);
      agree(second!, ours(config, params, 64, short));
      const [alone] = await theirs(session, config, 8);
      expect(alone!.ids).toEqual(expected.ids.slice(0, 8));
    });
  },
);

const otherConfigs = Object.entries({ ...tableConfigs, ...onnxConfigs });

describe.each(casesByTier(otherConfigs, ([name]) => name === "bloom"))("%s", (name, config) => {
  const params = tableParams(name, tensors, modelOf(config).params);
  const refusal = refusedInOnnx[name];
  if (refusal) {
    test("is refused with the reason", async () => {
      const exported = exportModel({ config, params }, { to: "onnx", out: memoryFolder() });
      await expect(exported).rejects.toThrow(refusal);
    });
    return;
  }
  test.each([23, 17] as const)("its 16 greedy tokens equal ours, with opset %d", async (opset) => {
    const { session } = await sessionOf({ config, params }, { opset });
    const short = prompt.slice(3, 10);
    const [first, second] = await theirs(session, config, 16, [prompt, short]);
    // Graphs sum in float32, ours in float64: latent attention and scaled scores have more such sums than plain
    // attention.
    agree(first!, ours(config, params, 16), 4e-5);
    agree(second!, ours(config, params, 16, short), 4e-5);
  });
});

test.each([23, 17] as const)("an encoder, with and without its head, with opset %d", async (opset) => {
  const bert = encoder(encoderConfig);
  const params = scaledParams(tensors, bert.init(1));
  const { maskedTokenHead: _head, ...bare } = params;
  const [ids, lengths] = [
    [...prompt, ...prompt.toReversed()],
    [prompt.length, 7],
  ];
  const types = ids.map((_, i) => (i % prompt.length > 4 ? 1 : 0));
  const rows = bert.apply(params, tensor(ids, { shape: [2, prompt.length], dtype: "int32" }), {
    types: tensor(types, { shape: [2, prompt.length], dtype: "int32" }),
    mask: padding(lengths),
  });
  const expected = { last_hidden_state: rows.data, logits: bert.maskedTokenLogits(params, rows).data };
  for (const own of [params, bare]) {
    const { session } = await sessionOf({ config: encoderConfig, params: own }, { opset });
    const run = await session.run({
      input_ids: int64(ids, 2),
      token_type_ids: int64(types, 2),
      attention_mask: int64(
        lengths.flatMap((n) => prompt.map((_, i) => (i < n ? 1 : 0))),
        2,
      ),
    });
    expect(Object.keys(run).sort()).toEqual(
      own === params ? ["last_hidden_state", "logits"] : ["last_hidden_state"],
    );
    for (const [name, { data, dims }] of Object.entries(run)) {
      // Rows of padding exist but are undefined.
      const count = (prompt.length + lengths[1]!) * dims[2]!;
      const wanted = expected[name as keyof typeof expected].slice(0, count);
      expect((data as Float32Array).slice(0, count), name).toBeAllclose(wanted, { rtol: 0, atol: 1e-4 });
    }
  }
});

test("weights in an external file equal weights in the graph", async () => {
  const model = modelOf(decoderConfigs["llama"]!);
  const expected = ours(model.config, model.params, 8);
  const { session, files } = await sessionOf(model, { inlineBytes: 1000 });
  agree((await theirs(session, model.config, 8))[0]!, expected);
  const config = JSON.parse(await files.find(({ name }) => name === "config.json")!.text()) as object;
  expect(config).toHaveProperty(["transformers.js_config", "use_external_data_format"], true);
});

test.each(["float16", "bfloat16"] as const)(
  "stored in %s, it says what the rounded model says",
  async (dtype) => {
    const { config, params } = modelOf(decoderConfigs["qwen2"]!);
    const out = memoryFolder();
    await exportModel({ config, params }, { to: "hf", dtype, out });
    const rounded = await load(out.files);
    // The graph rounds norms and biases too, the model does not.
    const full = tensors.mapTensors(rounded.params, (x, path) => {
      const own = path.split(".").reduce((at: unknown, key) => (at as Record<string, unknown>)[key], params);
      return x.shape.length === 1 ? (own as tensors.Tensor) : x;
    }) as DecoderParams;
    const { session } = await sessionOf({ config, params }, { dtype });
    agree((await theirs(session, config, 8))[0]!, ours(config, full, 8));
  },
);

test.each([
  ["diffllama", /`config.differential` is true, expected a model without it, in an ONNX graph/],
  ["deepseek-v32", /`config.indexer` .*expected a model without it, in an ONNX graph/],
  ["llama4-text", /`config.chunkSize` is \d+, expected a model without it, in an ONNX graph/],
  ["lfm2", /`config.layerTypes\[\d\]` .*expected "full" or "sliding"/],
  ["mamba", /`config.layerTypes\[0\]` .*expected "full" or "sliding"/],
])("%s is refused with the trait that no graph computes", async (name, refusal) => {
  const { config, params } = await load(ownData.path(`hf/${name}`));
  for (const own of [params, decoder(config).init(1)]) {
    const exported = exportModel({ config, params: own }, { to: "onnx", out: memoryFolder() });
    await expect(exported).rejects.toThrow(refusal);
  }
});

const size = {
  imageSize: 14,
  patchSize: 4,
  embedDim: 12,
  hiddenDim: 20,
  numLayers: 2,
  numHeads: 3,
  normEps: 1e-6,
};
const labels = ["cat", "dog", "fish"];
const visionConfigs: Record<string, VisionTransformerConfig> = {
  ViT: size,
  "ViT with its pooler": { ...size, head: { task: "pooler", labels: [], activation: "tanh" } },
  "ViT with labels": { ...size, head: { task: "image", labels } },
  "DeiT with both heads": {
    ...{ ...size, distillationToken: true },
    head: { task: "image", labels, distillation: true },
  },
  "DINOv2 with registers and labels": {
    ...{ ...size, layerScale: true, registers: 3, antialiasPositions: true },
    head: { task: "image", labels, pooling: "cls+patches" },
  },
  "the encoder of CLIP": {
    ...{ ...size, patchBias: false, embeddingNorm: true, finalNorm: "pooled", activation: "quickGelu" },
  },
};

describe.each(casesByTier(Object.entries(visionConfigs), ([name]) => name === "ViT with labels"))(
  "%s",
  (_, config) => {
    test.each([23, 17] as const)(
      "its rows and the outputs of its head equal ours, with opset %d",
      async (opset) => {
        const vit = visionTransformer(config);
        const params = scaledParams(tensors, vit.init(1));
        const { session } = await sessionOf({ config, params }, { opset });
        const pixels = tensors.randn([2, 3, 14, 14], { seed: 2 });
        const rows = vit.apply(params, pixels);
        const expected: Record<string, tensors.Tensor> = { last_hidden_state: rows };
        if (config.finalNorm === "pooled") expected["pooler_output"] = vit.pool(params, rows);
        if (config.head)
          expected[config.head.task === "pooler" ? "pooler_output" : "logits"] = taskLogits(
            { config, params },
            rows,
          );
        const feeds = { pixel_values: new ort.Tensor("float32", pixels.data as Float32Array, pixels.shape) };
        const outputs = await session.run(feeds);
        expect(Object.keys(outputs).sort()).toEqual(Object.keys(expected).sort());
        for (const [name, { data, shape }] of Object.entries(expected)) {
          expect(outputs[name]!.dims).toEqual(shape);
          expect(outputs[name]!.data as Float32Array).toBeAllclose(data, {
            rtol: 0,
            atol: 2e-5,
            scaled: true,
          });
        }
      },
    );
  },
);

test("images pooled by attention, and two encoders, have no graph", async () => {
  const pooled = { ...size, classToken: false, pooling: "attention" } as const;
  const params = visionTransformer(pooled).init(1);
  await expect(exportModel({ config: pooled, params }, { to: "onnx", out: memoryFolder() })).rejects.toThrow(
    /`config.pooling` is "attention"/,
  );
});
