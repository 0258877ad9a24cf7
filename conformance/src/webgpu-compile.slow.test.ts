// No shader is compiled after warm-up while a text grows, with Node's default adapter.
import { growingCache } from "@qkv/kv-cache";
import { argmax, logSumExp, mapTensors, max, reshape, sub, tensor } from "@qkv/tensor";
import { decoder, generate } from "@qkv/transformer";
import { webgpu } from "@qkv/webgpu";
import { expect, test } from "vitest";
import { create } from "webgpu";

/** Keeps the GPU referenced during the tests: the process ends when it is garbage-collected. */
const gpu = create([]);

const { config, init, apply } = decoder({
  vocabSize: 32,
  embedDim: 16,
  hiddenDim: 32,
  numLayers: 2,
  numHeads: 4,
  numKvHeads: 2,
  contextLength: 256,
  normEps: 1e-5,
  stopIds: [],
});

test.skipIf(!(await gpu.requestAdapter()))(
  "a dry run of a prompt and three tokens compiles all that a text of 200 tokens needs",
  { timeout: 300_000 },
  async () => {
    const device = await webgpu({ gpu });
    const params = mapTensors(init(3), (x) => x.to(device));
    const model = { config, params, apply, tokenizer: undefined };
    const compiled = await device.compile(() => {
      const cache = growingCache({ numLayers: 2 });
      for (const length of [5, 1, 1, 1]) {
        const ids = tensor([Array.from({ length }, () => 1)], { dtype: "int32", device });
        const row = reshape(apply(params, ids, { cache, last: 1 }), [config.vocabSize]);
        // Greedy generation selects its token and probability on the device.
        argmax(row);
        sub(max(row), logSumExp(row));
      }
    });
    expect(compiled).toBeGreaterThan(5);
    const { pipelines } = device.report().counts;
    const cache = growingCache({ numLayers: 2 });
    const ids: number[] = [];
    for await (const { id } of generate(model, [1, 7, 3, 11, 5, 2, 9], { maxTokens: 200, cache }))
      ids.push(id);
    expect(ids).toHaveLength(200);
    expect(device.report().counts.pipelines).toBe(pipelines);
    // The compiled model generates the tokens of the plain device.
    const plain: number[] = [];
    const onHost = { ...model, params: init(3) };
    for await (const { id } of generate(onHost, [1, 7, 3, 11, 5, 2, 9], { maxTokens: 50 })) plain.push(id);
    expect(ids.slice(0, 50)).toEqual(plain);
    device.close();
  },
);
