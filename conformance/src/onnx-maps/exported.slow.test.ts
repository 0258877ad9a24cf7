// Weights of our own exported graphs: outputs are unchanged, bitwise where nothing is decomposed, and weights equal
// ours.
import { growingCache } from "@qkv/kv-cache";
import { padding } from "@qkv/attention";
import * as tensors from "@qkv/tensor";
import { decoder, encoder, type DecoderConfig, type DecoderParams, type ModelTrace } from "@qkv/transformer";
import { exportModel, memoryFolder, type ExportedModel, type ExportOptions } from "@qkv/transformer/export";
import { addAttentionMaps } from "@qkv/lens/onnx";
import { describe, expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { floats, int64, mapped, runGraph, type Values } from "./session.js";

const script = async (name: string) =>
  (await import(new URL(`../../../scripts/${name}`, import.meta.url).href)) as unknown;
const { decoderConfigs, encoderConfig, scaledParams, prompt } = (await script("random-models.mjs")) as {
  decoderConfigs: Record<string, DecoderConfig>;
  encoderConfig: Parameters<typeof encoder>[0];
  scaledParams<T>(ops: typeof tensors, params: T, embeddingScale?: number): T;
  prompt: number[];
};
const { tableConfigs, tableParams } = (await script("random-table-models.mjs")) as {
  tableConfigs: Record<string, DecoderConfig>;
  tableParams(name: string, ops: typeof tensors, params: DecoderParams): DecoderParams;
};

async function exported(model: ExportedModel, options: Partial<ExportOptions>) {
  const out = memoryFolder();
  await exportModel(model, { to: "onnx", ...options, out } as ExportOptions);
  const file = (name: string) => out.files.find((each) => each.name === name)!;
  return { graph: new Uint8Array(await file("onnx/model.onnx").arrayBuffer()), files: out.files };
}

/** Empty past keys. */
function noPast({ numLayers, numHeads, numKvHeads, embedDim, headDim, latent }: DecoderConfig): Values {
  const width = headDim ?? embedDim / numHeads;
  const [heads, sizes] = latent
    ? [numHeads, { key: latent.nopeDim + latent.ropeDim, value: latent.valueDim }]
    : [numKvHeads, { key: width, value: width }];
  return Object.fromEntries(
    Array.from({ length: numLayers }, (_, i) =>
      (["key", "value"] as const).map((side) => [
        `past_key_values.${i}.${side}`,
        floats([], [1, heads, 0, sizes[side]]),
      ]),
    ).flat(),
  ) as Values;
}

const step = (ids: readonly number[], seen: number, past: Values): Values => ({
  ...past,
  input_ids: int64(ids, [1, ids.length]),
  position_ids: int64(
    ids.map((_, i) => seen + i),
    [1, ids.length],
  ),
  attention_mask: int64(Array<number>(seen + ids.length).fill(1), [1, seen + ids.length]),
});

const present = (outputs: Values): Values =>
  Object.fromEntries(
    Object.entries(outputs)
      .filter(([name]) => name.startsWith("present"))
      .map(([name, value]) => [name.replace("present", "past_key_values"), value]),
  );

/** A dozen models, with each kind of mask, bias, position and head that our graphs support. */
const models: Record<string, DecoderConfig> = {
  ...Object.fromEntries(
    ["llama", "mistral", "gemma2", "qwen3", "phi3", "gpt2", "gpt_bigcode", "mixtral"].map((name) => [
      ...[name, decoderConfigs[name]!],
    ]),
  ),
  ...Object.fromEntries(
    ["bloom", "gpt_oss", "deepseek_v2", "falcon", "minicpm3"].map((name) => [name, tableConfigs[name]!]),
  ),
};

describe.each(Object.entries(models))("%s", (name, config) => {
  const random = scaledParams(tensors, decoder(config).init(1), config.embeddingScale);
  const params = name in tableConfigs ? tableParams(name, tensors, random) : random;
  test.each([
    [23, "needed"],
    [23, "all"],
    [17, "needed"],
  ] as const)(
    "opset %d, decomposed where it is %s: outputs stay, weights are ours",
    async (opset, decompose) => {
      const { graph } = await exported({ config, params }, { opset });
      const model = await mapped(graph, { decompose });
      expect(model.skipped).toEqual([]);
      expect(model.maps.map((map) => map.name)).toEqual(
        Array.from({ length: config.numLayers }, (_, i) => `attentions.${i}`),
      );
      const isDecomposed = model.maps.some(({ how }) => how === "decomposed");
      const cache = growingCache({ numLayers: config.numLayers });
      let past = noPast(config);
      // A prompt, and a token after it.
      for (const [ids, seen] of [
        [prompt, 0],
        [[7], prompt.length],
      ] as const) {
        const feeds = step(ids, seen, past);
        const before = await runGraph(model.before, feeds);
        const after = await runGraph(model.after, feeds);
        for (const [output, { data }] of Object.entries(before)) {
          const got = after[output]!.data as Float32Array;
          if (isDecomposed)
            expect(got, output).toBeAllclose(data as Float32Array, { rtol: 1e-5, atol: 1e-5, scaled: true });
          else expect(got, output).toEqual(data);
        }
        const trace: ModelTrace = { names: ["weights"], tensors: {} };
        decoder(config).apply(params, [...ids], { cache, trace });
        model.maps.forEach(({ name: map }, i) => {
          const ours = trace.tensors[`layers.${i}.attention.weights`]!;
          expect(after[map]!.dims, map).toEqual(ours.shape);
          expect(after[map]!.data as Float32Array, map).toBeAllclose(ours.data, { rtol: 0, atol: 1e-5 });
        });
        past = present(before);
      }
    },
  );
});

test.each([23, 17] as const)("an encoder with padding, of opset %d", async (opset) => {
  const bert = encoder(encoderConfig);
  const params = scaledParams(tensors, bert.init(1));
  const { graph } = await exported({ config: encoderConfig, params }, { opset });
  const model = await mapped(graph);
  const ids = [...prompt, ...prompt.toReversed()];
  const T = prompt.length;
  const lengths = [T, 7];
  const feeds = {
    input_ids: int64(ids, [2, T]),
    token_type_ids: int64(Array<number>(2 * T).fill(0), [2, T]),
    attention_mask: int64(
      lengths.flatMap((n) => prompt.map((_, i) => (i < n ? 1 : 0))),
      [2, T],
    ),
  };
  const [before, after] = [await runGraph(model.before, feeds), await runGraph(model.after, feeds)];
  for (const [name, { data }] of Object.entries(before)) expect(after[name]!.data, name).toEqual(data);
  const trace = { names: ["weights" as const], tensors: {} as Record<string, tensors.Tensor> };
  bert.apply(params, tensors.tensor(ids, { shape: [2, T], dtype: "int32" }), {
    types: tensors.tensor(Array<number>(2 * T).fill(0), { shape: [2, T], dtype: "int32" }),
    mask: padding(lengths),
    trace,
  });
  expect(model.maps).toHaveLength(encoderConfig.numLayers);
  model.maps.forEach(({ name }, i) => {
    const ours = trace.tensors[`layers.${i}.attention.weights`]!;
    expect(after[name]!.data as Float32Array).toBeAllclose(ours.data, { rtol: 0, atol: 1e-5 });
  });
});

test("params in an external file stay there, under the same name", async () => {
  const config = models["llama"]!;
  const model = { config, params: scaledParams(tensors, decoder(config).init(1)) };
  const { graph } = await exported(model, { inlineBytes: 1000 });
  const withMaps = await addAttentionMaps(graph);
  expect(withMaps.externalData).toEqual(["model.onnx_data"]);
  expect(withMaps.maps).toHaveLength(config.numLayers);
});
