// A generation that begins here continues in ONNX Runtime, from a cache that was saved and restored, and comes back.
import { causal, groupedQuery } from "@qkv/attention";
import { growingCache, pagedCache, quantizedCache, staticCache, type KvCache } from "@qkv/kv-cache";
import { fromPastKeyValues, toPastKeyValues } from "@qkv/kv-cache/past-key-values";
import { add, embedding, matmul, randn, tensor, transpose, type Tensor } from "@qkv/tensor";
import * as ort from "onnxruntime-web";
import "@qkv/test-support/allclose";
import { beforeAll, expect, test } from "vitest";

const heads = { embedDim: 16, numHeads: 4, numKvHeads: 2 };
const sizes = { vocabSize: 23, ...heads };
const numLayers = 2;
const layer = groupedQuery({ ...heads, mask: causal() });
const params = Array.from({ length: numLayers }, (_, i) => layer.init(i + 1));
const table = randn([sizes.vocabSize, sizes.embedDim], { seed: 9 });

/** Logits `[1, T, V]` of the new ids, from our packages. */
function ours(ids: readonly number[], cache: KvCache): Tensor {
  let x = embedding(table, tensor(ids, { shape: [1, ids.length], dtype: "int32" }));
  params.forEach((own, i) => (x = add(x, layer.apply(own, x, { layer: i, cache }))));
  return matmul(x, transpose(table));
}

let session: ort.InferenceSession;
beforeAll(async () => {
  ort.env.wasm.numThreads = 1;
  const { cachedModel } = await import(new URL("../../scripts/cached-model.mjs", import.meta.url).href);
  const layers = params.map(({ query, key, value, output }) =>
    Object.fromEntries(
      Object.entries({ query, key, value, output }).map(([name, { weight }]) => [name, weight.data]),
    ),
  );
  session = await ort.InferenceSession.create(cachedModel(sizes, { embedding: table.data, layers }));
});

/** Logits of the new ids, and the keys and values of all tokens, from ONNX Runtime. */
async function theirs(ids: readonly number[], past: Record<string, ort.Tensor>) {
  const input_ids = new ort.Tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]);
  return session.run({ input_ids, ...past });
}

const ortTensor = (type: "float32", data: Float32Array, dims: number[]) => new ort.Tensor(type, data, dims);

const kinds: [string, () => KvCache][] = [
  ["growing", () => growingCache({ numLayers })],
  ["static", () => staticCache({ numLayers, maxLength: 32 })],
  ["paged", () => pagedCache({ numLayers, pages: 9, pageLength: 4 })],
];
const prompt = [3, 1, 4, 1, 5, 9, 2];

test.each(kinds)(
  "from a restored cache the runtime goes on, and its tokens come back: %s",
  async (_, make) => {
    const cache = make();
    ours(prompt, cache);
    const restored = make();
    restored.restore(cache.save());

    // Three more tokens in ONNX Runtime and here.
    const next = [6, 5, 3];
    const run = await theirs(next, toPastKeyValues(restored, ortTensor));
    expect(run["logits"]!.data as Float32Array).toBeAllclose(ours(next, cache).data, {
      rtol: 2e-5,
      atol: 2e-5,
    });

    // Its new keys and values are appended to our cache, and both continue equally.
    fromPastKeyValues(restored, run);
    expect(restored.length).toBe(10);
    expect(ours([8], restored).data).toBeAllclose(ours([8], cache).data, { rtol: 2e-5, atol: 2e-5 });
    const again = await theirs([7], toPastKeyValues(restored, ortTensor));
    expect(again["logits"]!.data as Float32Array).toBeAllclose(ours([7], cache).data, {
      rtol: 2e-5,
      atol: 2e-5,
    });
  },
);

test("generation continues here after a prompt that the runtime processed", async () => {
  const empty = Object.fromEntries(
    ["key", "value"].flatMap((side) =>
      [0, 1].map((i) => [
        `past_key_values.${i}.${side}`,
        ortTensor("float32", new Float32Array(0), [1, 2, 0, 4]),
      ]),
    ),
  );
  const run = await theirs(prompt, empty);
  const [cache, straight] = [growingCache({ numLayers }), growingCache({ numLayers })];
  fromPastKeyValues(cache, run);
  expect(run["logits"]!.data as Float32Array).toBeAllclose(ours(prompt, straight).data, {
    rtol: 2e-5,
    atol: 2e-5,
  });
  expect(ours([5, 8], cache).data).toBeAllclose(ours([5, 8], straight).data, { rtol: 2e-5, atol: 2e-5 });
});

test("a quantized cache is converted to floats, and later logits are close", async () => {
  const [cache, small] = [
    growingCache({ numLayers }),
    quantizedCache({ numLayers, groupSize: 2, residualLength: 1 }),
  ];
  for (const one of [cache, small]) ours(prompt, one);
  const run = await theirs([6], toPastKeyValues(small, ortTensor));
  const exact = await theirs([6], toPastKeyValues(cache, ortTensor));
  expect(run["logits"]!.data as Float32Array).toBeAllclose(exact["logits"]!.data as Float32Array, {
    rtol: 0.1,
    atol: 0.1,
  });
});
