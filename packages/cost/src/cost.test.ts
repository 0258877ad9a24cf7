import fc from "fast-check";
import { expect, test } from "vitest";
import { cost, type Call } from "./cost.js";
import { quantized, formats } from "./formats.js";
import { parameters } from "./parameters.js";
import { parts } from "./parts.js";
import { readConfig } from "./read-config.js";
import { deepseek, gpt2, llamaConfig, t5 } from "@qkv/test-support/model-shapes";

const lengths = fc.record({
  batchSize: fc.integer({ min: 1, max: 4 }),
  queryLength: fc.integer({ min: 1, max: 30 }),
  before: fc.nat(30),
});
const createCall = ({
  batchSize,
  queryLength,
  before,
}: {
  batchSize: number;
  queryLength: number;
  before: number;
}): Call => ({
  batchSize,
  queryLength,
  contextLength: queryLength + before,
});
const figures = ["flops", "weightBytes", "activationBytes", "cacheBytes", "bytes", "calls"] as const;

test("property: operators sum to the total, and bytes are those of weights, activations and cache", () => {
  fc.assert(
    fc.property(llamaConfig, lengths, (config, at) => {
      const all = cost(readConfig(config), createCall(at));
      for (const key of figures) {
        expect(all[key]).toBeCloseTo(
          all.operators.reduce((sum, operator) => sum + operator[key], 0),
          6,
        );
      }
      expect(all.bytes).toBe(all.weightBytes + all.activationBytes + all.cacheBytes);
      const { total, parts: list } = parameters(readConfig(config));
      expect(list.reduce((sum, part) => sum + part.parameters, 0)).toBe(total);
    }),
  );
});

test("property: a longer context, a larger batch and more heads never cost less", () => {
  fc.assert(
    fc.property(llamaConfig, lengths, (config, at) => {
      const shape = readConfig(config);
      const less = cost(shape, createCall(at));
      const wider = readConfig({
        ...config,
        num_attention_heads: 2 * config.num_attention_heads,
        num_key_value_heads: 2 * config.num_key_value_heads,
      });
      const fewerKeys = readConfig({ ...config, num_key_value_heads: 1 });
      const call = createCall(at);
      for (const key of ["flops", "bytes"] as const) {
        expect(cost(shape, createCall({ ...at, before: at.before + 1 }))[key]).toBeGreaterThanOrEqual(
          less[key],
        );
        expect(cost(shape, createCall({ ...at, batchSize: at.batchSize + 1 }))[key]).toBeGreaterThan(
          less[key],
        );
        expect(cost(wider, call)[key]).toBeGreaterThan(less[key]);
        expect(cost(fewerKeys, call)[key]).toBeLessThanOrEqual(less[key]);
      }
    }),
  );
});

test("property: a window as wide as the context costs as much as full attention, and a batch as much as its sequences", () => {
  fc.assert(
    fc.property(llamaConfig, lengths, (config, at) => {
      const call = createCall(at);
      const wide = readConfig({ ...config, sliding_window: 1000 });
      expect(cost(wide, call)).toEqual(cost(readConfig({ ...config, sliding_window: null }), call));
      const shape = readConfig(config);
      expect(cost(shape, call).flops).toBe(at.batchSize * cost(shape, { ...call, batchSize: 1 }).flops);
    }),
  );
});

test("property: attention over a prompt in chunks costs as much as in one pass", () => {
  fc.assert(
    fc.property(llamaConfig, fc.integer({ min: 2, max: 30 }), fc.nat(28), (config, whole, cut) => {
      const shape = readConfig(config);
      const first = 1 + (cut % (whole - 1));
      const pieces =
        cost(shape, { queryLength: first }).flops +
        cost(shape, { queryLength: whole - first, contextLength: whole }).flops;
      expect(pieces).toBe(cost(shape, { queryLength: whole }).flops);
    }),
  );
});

test("golden: GPT-2, one token after 511 others, by hand", () => {
  const step = cost(gpt2, { contextLength: 512 });
  const ofName = (name: string) => step.operators.find((operator) => operator.name === name);
  expect(ofName("attention query")).toMatchObject({ times: 12, flops: 12 * (2 * 768 * 768 + 768) });
  expect(ofName("attention scores")).toMatchObject({ flops: 12 * 12 * 512 * (4 * 64 + 5) });
  // 512 tokens read and one written, keys and values, 12 layers, two bytes.
  expect(step.cacheBytes).toBe(513 * 2 * 768 * 12 * 2);
  // The token table is read whole for the logits, and two rows for the token and its position.
  expect(step.weightBytes).toBe(2 * (124439808 - 1024 * 768 + 2 * 768));
});

test("experts: one token reads the weights of its experts, many tokens those of nearly all", () => {
  const shape = readConfig(deepseek);
  const { total, active } = parameters(shape);
  const read = (batchSize: number) => cost(shape, { batchSize }).weightBytes / 2;
  const table = 129280 * 7168;
  expect(read(1)).toBeCloseTo(active - table + 7168, -1);
  expect(read(10_000)).toBeGreaterThan(0.99 * (total - table));
  expect(read(10_000)).toBeLessThanOrEqual(total);
});

test("latent attention: absorbed is cheaper for one token, naive for a prompt, and cheapest is the minimum", () => {
  const shape = readConfig(deepseek);
  const flops = (call: Call) => cost(shape, call).flops;
  const [step, prompt] = [{ contextLength: 4096 }, { queryLength: 4096 }];
  expect(flops({ ...step, latent: "absorbed" })).toBeLessThan(flops({ ...step, latent: "naive" }) / 3);
  expect(flops({ ...prompt, latent: "naive" })).toBeLessThan(flops({ ...prompt, latent: "absorbed" }));
  for (const call of [step, prompt]) {
    const choices = (["naive", "absorbed"] as const).map((latent) => flops({ ...call, latent }));
    expect(flops(call)).toBe(Math.min(...choices));
  }
});

test("an indexer scores every key, and attention reads only the selected keys", () => {
  const sizes = { index_n_heads: 64, index_head_dim: 128, index_topk: 2048 };
  const [plain, indexed] = [
    readConfig(deepseek),
    readConfig({ ...deepseek, model_type: "deepseek_v32", ...sizes }),
  ];
  const own = 64 * 128 * 1536 + 128 * 7168 + 2 * 128 + 64 * 7168;
  expect(parameters(indexed).total - parameters(plain).total).toBe(61 * own);
  // Dense layers and those with experts are separate operators.
  const part = (shape: typeof plain, contextLength: number, name: string) => {
    const { operators } = cost(shape, { contextLength, latent: "absorbed" });
    const own = operators.filter((operator) => operator.name === name);
    const sum = (key: "flops" | "cacheBytes") => own.reduce((total, operator) => total + operator[key], 0);
    return { flops: sum("flops"), cacheBytes: sum("cacheBytes") };
  };
  expect(part(indexed, 4096, "index scores").flops).toBe(61 * 4096 * 64 * (2 * 128 + 3));
  for (const length of [1000, 2048])
    expect(part(indexed, length, "attention scores")).toEqual(part(plain, length, "attention scores"));
  const chosen = part(plain, 2048, "attention scores").flops;
  for (const length of [4096, 100_000]) expect(part(indexed, length, "attention scores").flops).toBe(chosen);
  // Of each earlier token the index key is read, of the chosen ones the latents; both are written.
  expect(part(indexed, 4096, "index scores").cacheBytes).toBe(61 * 2 * 128 * 4097);
  expect(part(indexed, 4096, "attention scores").cacheBytes).toBe(61 * 2 * 576 * 2049);
});

test("an encoder runs once, and a decoding step reads the cached keys and values", () => {
  const shape = readConfig(t5);
  const first = cost(shape, { queryLength: 1, sourceLength: 100 });
  const later = cost(shape, { contextLength: 2, sourceLength: 100 });
  expect(first.operators.some(({ name }) => name.startsWith("encoder"))).toBe(true);
  expect(later.operators.some(({ name }) => name.startsWith("encoder"))).toBe(false);
  expect(later.flops).toBeLessThan(first.flops / 20);
  expect(later.operators.find(({ name }) => name === "decoder cross-attention scores")?.flops).toBe(
    6 * 8 * 100 * (4 * 64 + 5),
  );
  expect(parts(shape).reduce((sum, { parameters, times }) => sum + parameters * times, 0)).toBe(60506624);
});

test("weights, activations and cache have separate formats", () => {
  const plain = cost(gpt2, { contextLength: 64 });
  const small = cost(gpt2, {
    contextLength: 64,
    formats: { weights: quantized({ bits: 4 }), cache: formats.float8 },
  });
  expect(small.weightBytes / plain.weightBytes).toBeCloseTo(0.5625 / 2, 10);
  expect(small.cacheBytes / plain.cacheBytes).toBe(0.5);
  expect(small.activationBytes).toBe(plain.activationBytes);
});

test.each([
  [
    { queryLength: 0 },
    "cost: `queryLength` is 0, expected an integer number of tokens, 1 or more.\nFix: count tokens",
  ],
  [
    { queryLength: 4, contextLength: 3 },
    "cost: `contextLength` is 3, expected an integer number of tokens, at least queryLength = 4",
  ],
  [{ batchSize: 1.5 }, "cost: `batchSize` is 1.5, expected an integer number of sequences"],
  [{ sourceLength: 3 }, "cost: `sourceLength` is 3, expected nothing, as gpt2 has no encoder"],
])("refused: %j", (call, message) => {
  expect(() => cost(gpt2, call)).toThrow(message);
});

const vit = readConfig({
  model_type: "vit",
  image_size: 32,
  patch_size: 8,
  hidden_size: 12,
  num_attention_heads: 3,
});

test("an image has the rows of its size, and a batch counts images", () => {
  expect(cost(vit)).toEqual(cost(vit, { queryLength: 17 }));
  expect(cost(vit, { batchSize: 3 }).flops).toBe(3 * cost(vit).flops);
  expect(() => cost(vit, { queryLength: 9 })).toThrow(
    "cost: `queryLength` is 9, expected 17, as an image of vit has as many rows.\nFix: leave it out; count images in `batchSize`.",
  );
});

test("the cost of CLIP is that of its text encoder and its image encoder", () => {
  const text_config = { vocab_size: 50, hidden_size: 8, num_attention_heads: 2, intermediate_size: 16 };
  const vision_config = { image_size: 32, patch_size: 8, hidden_size: 12, num_attention_heads: 3 };
  const clip = readConfig({ model_type: "clip", projection_dim: 4, text_config, vision_config });
  const [text, image] = [
    readConfig({ ...text_config, model_type: "clip_text_model" }),
    readConfig({ ...vision_config, model_type: "clip_vision_model" }),
  ];
  const maps = 2 * 4 * (8 + 12);
  expect(cost(clip, { queryLength: 7 }).flops).toBe(
    cost(text, { queryLength: 7 }).flops + cost(image).flops + maps,
  );
  expect(parameters(clip).total).toBe(parameters(text).total + parameters(image).total + maps / 2 + 1);
  expect(() => readConfig({ model_type: "clip", vision_config })).toThrow(
    "readConfig: `text_config` is undefined, expected the configuration of this encoder",
  );
});

test("layers with shared weights have the same FLOPs as others, and their parameters count once", () => {
  const sizes = { vocab_size: 50, hidden_size: 8, num_attention_heads: 2, intermediate_size: 16 };
  const albert = (num_hidden_layers: number) =>
    readConfig({
      ...sizes,
      model_type: "albert",
      num_hidden_layers,
      max_position_embeddings: 9,
      embedding_size: 4,
    });
  expect(parameters(albert(6))).toMatchObject({ total: parameters(albert(1)).total });
  const work = (layers: number) => cost(albert(layers), { queryLength: 5 }).flops;
  expect(work(6) - work(1)).toBe(5 * (work(2) - work(1)));
});
