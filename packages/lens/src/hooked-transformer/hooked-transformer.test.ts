import { randn, tensor, type Tensor } from "@qkv/tensor";
import { readSafetensors, writeSafetensors } from "@qkv/tensor/safetensors";
import { randomDecoder } from "@qkv/test-support/random-decoder";
import { decoder, type DecoderConfig } from "@qkv/transformer";
import { exportModel, memoryFolder } from "@qkv/transformer/export";
import fc from "fast-check";
import { expect, test } from "vitest";
import { logitParts } from "../decompose/logit-parts.js";
import { scoreParts } from "../decompose/score-parts.js";
import { loadTransformerLens } from "./load-transformer-lens.js";
import { transformerLensCheckpoint } from "./transformer-lens-checkpoint.js";

/** A configuration as Python writes it. */
type Cfg = ReturnType<typeof JSON.parse>;
type Weights = Record<string, { data: ArrayLike<number>; shape: readonly number[] }>;

const activations: Record<string, (x: number) => number> = {
  relu: (x) => Math.max(0, x),
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu_new: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};

/** The logits of a HookedTransformer, number by number, from its own names: nothing here is shared with the packages. */
function plainLogits(cfg: Cfg, weights: Weights, ids: readonly number[]): number[][] {
  const [C, H, D] = [cfg.d_model, cfg.n_heads, cfg.d_head];
  const Hkv = cfg.n_key_value_heads ?? H;
  const of = (name: string) => weights[name]!.data;
  const has = (name: string) => name in weights;
  const normed = (name: string, x: number[]): number[] => {
    if (cfg.normalization_type === null) return x;
    const mean = cfg.normalization_type.startsWith("LN") ? x.reduce((a, b) => a + b, 0) / C : 0;
    const centered = x.map((value) => value - mean);
    const scale = Math.sqrt(centered.reduce((sum, value) => sum + value * value, 0) / C + cfg.eps);
    const [w, b] = [`${name}.w`, `${name}.b`];
    return centered.map((value, c) => (value / scale) * (has(w) ? of(w)[c]! : 1) + (has(b) ? of(b)[c]! : 0));
  };
  const rotated = (x: number[], at: number): number[] => {
    if (cfg.positional_embedding_type !== "rotary") return x;
    const half = cfg.rotary_dim / 2;
    const y = [...x];
    for (let n = 0; n < half; n++) {
      const angle = at / cfg.rotary_base ** (n / half);
      const [a, b] = cfg.rotary_adjacent_pairs ? [2 * n, 2 * n + 1] : [n, n + half];
      y[a] = x[a]! * Math.cos(angle) - x[b]! * Math.sin(angle);
      y[b] = x[b]! * Math.cos(angle) + x[a]! * Math.sin(angle);
    }
    return y;
  };
  const slope = (h: number) => 2 ** (-(8 / H) * (h + 1));
  const into = (name: string, mark: string, i: number, h: number, x: number[]) =>
    Array.from({ length: D }, (_, d) => {
      let sum = of(`blocks.${i}.attn.${mark}b_${name}`)[h * D + d]!;
      for (let c = 0; c < C; c++)
        sum += x[c]! * of(`blocks.${i}.attn.${mark}W_${name}`)[(h * C + c) * D + d]!;
      return sum;
    });
  let rows = ids.map((id, t) =>
    Array.from({ length: C }, (_, c) => {
      const at = cfg.positional_embedding_type === "standard" ? of("pos_embed.W_pos")[t * C + c]! : 0;
      return of("embed.W_E")[id * C + c]! + at;
    }),
  );
  const capped = (x: number, cap: number | undefined) => (cap && cap > 0 ? cap * Math.tanh(x / cap) : x);
  for (let i = 0; i < cfg.n_layers; i++) {
    const read = rows.map((x) => normed(`blocks.${i}.ln1`, x));
    const mark = cfg.n_key_value_heads ? "_" : "";
    const placed = read.map((x, t) =>
      cfg.positional_embedding_type === "shortformer"
        ? x.map((value, c) => value + of("pos_embed.W_pos")[t * C + c]!)
        : x,
    );
    let attended = rows.map(() => [...Array.from(of(`blocks.${i}.attn.b_O`))]);
    for (let h = 0; h < H; h++) {
      const shared = Math.floor(h / (H / Hkv));
      const q = placed.map((x, t) => rotated(into("Q", "", i, h, x), t));
      const k = placed.map((x, t) => rotated(into("K", mark, i, shared, x), t));
      const v = read.map((x) => into("V", mark, i, shared, x));
      const isLocal = cfg.use_local_attn && cfg.attn_types[i] === "local";
      attended = attended.map((sum, t) => {
        const scores = k.map((key, s) => {
          if (cfg.attention_dir === "causal" && s > t) return -Infinity;
          if (isLocal && t - s >= cfg.window_size) return -Infinity;
          const divisor = cfg.use_attn_scale === false ? 1 : (cfg.attn_scale ?? Math.sqrt(D));
          const dot = key.reduce((total, value, d) => total + value * q[t]![d]!, 0) / divisor;
          const bias = cfg.positional_embedding_type === "alibi" ? -slope(h) * (t - s) : 0;
          return capped(dot, cfg.attn_scores_soft_cap) + bias;
        });
        const highest = Math.max(...scores);
        const powers = scores.map((score) => Math.exp(score - highest));
        const total = powers.reduce((a, b) => a + b, 0);
        const z = Array.from({ length: D }, (_, d) =>
          powers.reduce((out, power, s) => out + (power / total) * v[s]![d]!, 0),
        );
        return sum.map(
          (value, c) =>
            value +
            z.reduce((out, one, d) => out + one * of(`blocks.${i}.attn.W_O`)[(h * D + d) * C + c]!, 0),
        );
      });
    }
    const both = cfg.use_normalization_before_and_after;
    if (both) attended = attended.map((x) => normed(`blocks.${i}.ln1_post`, x));
    const before = rows;
    rows = rows.map((x, t) => x.map((value, c) => value + attended[t]![c]!));
    if (cfg.attn_only) continue;
    rows = rows.map((x, t) => {
      const y = normed(`blocks.${i}.ln2`, cfg.parallel_attn_mlp ? before[t]! : x);
      const bend = activations[cfg.act_fn]!;
      const dot = (name: string, f: number) =>
        y.reduce((sum, value, c) => sum + value * of(`blocks.${i}.mlp.${name}`)[c * cfg.d_mlp + f]!, 0);
      const hidden = Array.from({ length: cfg.d_mlp }, (_, f) => {
        const bias = of(`blocks.${i}.mlp.b_in`)[f]!;
        return cfg.gated_mlp ? bend(dot("W_gate", f)) * dot("W_in", f) + bias : bend(dot("W_in", f) + bias);
      });
      const out = Array.from(
        { length: C },
        (_, c) =>
          of(`blocks.${i}.mlp.b_out`)[c]! +
          hidden.reduce((sum, value, f) => sum + value * of(`blocks.${i}.mlp.W_out`)[f * C + c]!, 0),
      );
      const left = both ? normed(`blocks.${i}.ln2_post`, out) : out;
      return x.map((value, c) => value + left[c]!);
    });
  }
  return rows.map((x) => {
    const y = normed("ln_final", x);
    return Array.from({ length: cfg.d_vocab_out }, (_, n) => {
      const raw = y.reduce((sum, value, c) => sum + value * of("unembed.W_U")[c * cfg.d_vocab_out + n]!, 0);
      return capped(raw + of("unembed.b_U")[n]!, cfg.output_logits_soft_cap);
    });
  });
}

/** Random weights of a configuration, by the names of TransformerLens. */
function randomWeights(cfg: Cfg, seed: number): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {};
  const put = (name: string, shape: number[], middle = 0) => {
    const drawn = randn(shape, { seed: seed * 1000 + Object.keys(tensors).length, dtype: "float64" }).data;
    tensors[name] = tensor(
      Array.from(drawn, (x) => middle + 0.4 * Number(x)),
      { shape, dtype: "float64" },
    );
  };
  const { d_model: C, d_head: D, n_heads: H, d_mlp: F } = cfg as Record<string, number>;
  const norm = (name: string) => {
    if (cfg.normalization_type !== "LN" && cfg.normalization_type !== "RMS") return;
    put(`${name}.w`, [C!], 1);
    if (cfg.normalization_type === "LN") put(`${name}.b`, [C!]);
  };
  put("embed.W_E", [cfg.d_vocab, C!]);
  if (["standard", "shortformer"].includes(cfg.positional_embedding_type))
    put("pos_embed.W_pos", [cfg.n_ctx, C!]);
  for (let i = 0; i < cfg.n_layers; i++) {
    const at = `blocks.${i}`;
    norm(`${at}.ln1`);
    const mark = cfg.n_key_value_heads ? "_" : "";
    const Hkv = cfg.n_key_value_heads ?? H;
    for (const [name, count] of [
      ["W_Q", H],
      [`${mark}W_K`, Hkv],
      [`${mark}W_V`, Hkv],
    ] as const)
      put(`${at}.attn.${name}`, [count, C!, D!]);
    for (const [name, count] of [
      ["b_Q", H],
      [`${mark}b_K`, Hkv],
      [`${mark}b_V`, Hkv],
    ] as const)
      put(`${at}.attn.${name}`, [count, D!]);
    put(`${at}.attn.W_O`, [H!, D!, C!]);
    put(`${at}.attn.b_O`, [C!]);
    if (cfg.use_normalization_before_and_after) norm(`${at}.ln1_post`);
    if (cfg.attn_only) continue;
    norm(`${at}.ln2`);
    if (cfg.gated_mlp) put(`${at}.mlp.W_gate`, [C!, F!]);
    put(`${at}.mlp.W_in`, [C!, F!]);
    put(`${at}.mlp.b_in`, [F!]);
    put(`${at}.mlp.W_out`, [F!, C!]);
    put(`${at}.mlp.b_out`, [C!]);
    if (cfg.use_normalization_before_and_after) norm(`${at}.ln2_post`);
  }
  norm("ln_final");
  put("unembed.W_U", [C!, cfg.d_vocab_out]);
  put("unembed.b_U", [cfg.d_vocab_out]);
  return tensors;
}

const cfgs: fc.Arbitrary<Cfg> = fc
  .record({
    n_layers: fc.integer({ min: 1, max: 2 }),
    d_head: fc.constantFrom(2, 4),
    n_heads: fc.constantFrom(2, 4),
    d_model: fc.constantFrom(6, 8),
    d_mlp: fc.integer({ min: 1, max: 9 }),
    d_vocab: fc.integer({ min: 2, max: 7 }),
    d_vocab_out: fc.integer({ min: 2, max: 9 }),
    n_ctx: fc.constant(8),
    eps: fc.constantFrom(1e-5, 1e-2),
    act_fn: fc.constantFrom("relu", "silu", "gelu_new"),
    gated_mlp: fc.boolean(),
    attn_only: fc.boolean(),
    normalization_type: fc.constantFrom("LN", "LNPre", "RMS", "RMSPre", null),
    attention_dir: fc.constantFrom("causal", "bidirectional"),
    positional_embedding_type: fc.constantFrom("standard", "rotary", "alibi", "shortformer"),
    rotary_dim: fc.constant(2),
    rotary_base: fc.constantFrom(100, 10000),
    rotary_adjacent_pairs: fc.boolean(),
    use_attn_scale: fc.boolean(),
    attn_scale: fc.constantFrom(undefined, 3),
    attn_scores_soft_cap: fc.constantFrom(-1, 2),
    output_logits_soft_cap: fc.constantFrom(-1, 3),
    n_key_value_heads: fc.constantFrom(undefined, 1, 2),
    use_local_attn: fc.boolean(),
    window_size: fc.integer({ min: 1, max: 4 }),
    order: fc.constantFrom("plain", "parallel", "both"),
  })
  .map(({ order, ...cfg }) => {
    const alibi = cfg.positional_embedding_type === "alibi";
    const causal = cfg.attention_dir === "causal" || alibi || cfg.use_local_attn;
    return {
      ...cfg,
      ...(cfg.positional_embedding_type === "shortformer" && { normalization_type: null }),
      attention_dir: causal ? "causal" : "bidirectional",
      attn_types: Array.from({ length: cfg.n_layers }, (_, i) => (i % 2 === 0 ? "local" : "global")),
      parallel_attn_mlp: order === "parallel",
      use_normalization_before_and_after: order === "both",
    };
  });

const ids = fc.array(fc.nat(), { minLength: 1, maxLength: 6 });

test("property: a HookedTransformer computes what its definition says, and is the same after a round trip", async () => {
  await fc.assert(
    fc.asyncProperty(cfgs, ids, fc.nat(1000), async (cfg, drawn, seed) => {
      const list = drawn.map((id) => id % cfg.d_vocab);
      const tensors = randomWeights(cfg, seed);
      const expected = plainLogits(cfg, tensors as Weights, list).flat();
      const stored = JSON.parse(JSON.stringify(cfg)) as Cfg;
      const model = await loadTransformerLens(await writeSafetensors(tensors), { cfg: stored as never });
      const logits = model.apply(model.params, list).data;
      expect(logits).toHaveLength(expected.length);
      expected.forEach((value, n) => expect(logits[n]).toBeCloseTo(value, 9));

      if (cfg.normalization_type === null || cfg.normalization_type.endsWith("Pre")) return;
      const back = transformerLensCheckpoint(model);
      const file = await writeSafetensors(back.tensors, { cfg: JSON.stringify(back.cfg) });
      const again = await loadTransformerLens(file);
      expect(again.apply(again.params, list).data).toEqual(logits);
      if (cfg.gated_mlp && !cfg.attn_only) return; // their inner biases were folded
      const marked = (name: string) => name.replace(/\._([Wb]_[KV])$/, ".$1");
      for (const [name, x] of Object.entries(tensors)) {
        const same = Object.entries(back.tensors).find(([other]) => marked(other) === marked(name));
        expect(same?.[1].data, name).toEqual(x.data);
      }
    }),
    { numRuns: 60 },
  );
});

const small = {
  ...{ vocabSize: 7, embedDim: 8, hiddenDim: 12, numLayers: 2, numHeads: 2, numKvHeads: 2, gated: false },
  ...{ contextLength: 9, normEps: 1e-5, stopIds: [], activation: "relu" as const },
};
const made = (config: Partial<DecoderConfig>) => {
  const whole = { ...small, ...config } as DecoderConfig;
  const { init, apply } = decoder(whole);
  return { config: whole, params: init(1), apply, tokenizer: undefined };
};
const roundTrip = async (model: ReturnType<typeof made>) => {
  const { cfg, tensors } = transformerLensCheckpoint(model);
  return loadTransformerLens(await writeSafetensors(tensors, { cfg: JSON.stringify(cfg) }));
};

test.each([
  { norm: "none" },
  { norm: "layer", positions: "none" },
  { norm: "rms", gated: true, activation: "silu", numKvHeads: 1 },
  { norm: "layer", positions: "learned", bidirectional: true, feedForwardLayers: [false, false] },
  { placement: "parallel", attentionScale: 0.3, logitSoftcap: 4 },
  { embeddingNorm: true, layerTypes: ["sliding", "full"], window: 2, headDim: 6, ropeDim: 4, ropeBase: 50 },
] as Partial<DecoderConfig>[])("a decoder of %o is saved and loaded with the same logits", async (config) => {
  const model = made(config);
  const again = await roundTrip(model);
  const logits = model.apply(model.params, [3, 1, 4, 1]).data;
  const read = again.apply(again.params, [3, 1, 4, 1]).data;
  logits.forEach((value, n) => expect(read[n]).toBeCloseTo(Number(value), 5));
});

test("parts sum to logits and scores in a classifier without norms", async () => {
  const model = made({ norm: "none", positions: "learned", feedForwardLayers: [false, false] });
  const output = { weight: randn([12, 8], { seed: 5 }) };
  const answers = await roundTrip({ ...model, params: { ...model.params, output } });
  const { logit, parts } = logitParts(answers, [3, 1, 4], { token: 11 });
  expect(parts.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(logit, 5);
  const { values, dot } = scoreParts(answers, [3, 1, 4], { layer: 1, head: 1, query: 2, key: 0 });
  expect(Array.from(values.data, Number).reduce((a, b) => a + b, 0)).toBeCloseTo(dot, 5);
  expect(() => logitParts(answers, [3], { token: 12 })).toThrow(/logitParts: `token` is 12/);
});

test("Shortformer: the position is a part of scores, and of no logit", async () => {
  const shape = { n_layers: 2, d_model: 6, d_head: 4, n_heads: 2, n_ctx: 8, d_vocab: 7, d_vocab_out: 7 };
  const cfg: Cfg = {
    ...shape,
    attn_only: true,
    normalization_type: null,
    positional_embedding_type: "shortformer",
  };
  const model = await loadTransformerLens(await writeSafetensors(randomWeights(cfg, 3)), { cfg });
  const { logit, parts } = logitParts(model, [3, 1, 4]);
  expect(parts.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(logit, 9);
  expect(parts.find(({ kind }) => kind === "position")!.value).toBe(0);
  const { values, dot, querySources } = scoreParts(model, [3, 1, 4], { layer: 1, head: 1, query: 2, key: 0 });
  expect(Array.from(values.data, Number).reduce((a, b) => a + b, 0)).toBeCloseTo(dot, 9);
  const at = querySources.findIndex(({ kind }) => kind === "position");
  const ofPosition = Array.from(values.data, Number).slice(
    at * querySources.length,
    (at + 1) * querySources.length,
  );
  expect(Math.max(...ofPosition.map(Math.abs))).toBeGreaterThan(0);
});

test("a configuration of more layers than the file has tensors is refused before they are made", async () => {
  const { cfg, tensors } = transformerLensCheckpoint(made({ norm: "layer", positions: "learned" }));
  const bytes = await writeSafetensors(tensors);
  const count = Object.keys(tensors).length;
  for (const n_layers of [count + 1, 1e8, 2 ** 40])
    await expect(loadTransformerLens(bytes, { cfg: { ...cfg, n_layers } })).rejects.toThrow(
      `\`cfg.n_layers\` is ${n_layers}, expected at most ${count}, the number of tensors in the file`,
    );
});

test("half precision becomes float32, and buffers are ignored", async () => {
  const { cfg, tensors } = transformerLensCheckpoint(made({ norm: "layer", positions: "learned" }));
  const mask = tensor([1], { dtype: "bool" });
  const bytes = await writeSafetensors({ ...tensors, "blocks.0.attn.mask": mask });
  const model = await loadTransformerLens(bytes, { cfg });
  expect(model.params.embedding.weight.dtype).toBe("float32");
  expect((await readSafetensors(bytes)).tensors["blocks.0.attn.W_Q"]!.shape).toEqual([2, 8, 4]);
});

const cfg = {
  ...{
    n_layers: 1,
    d_model: 4,
    d_head: 2,
    n_heads: 2,
    n_ctx: 4,
    d_vocab: 5,
    d_vocab_out: 5,
    d_mlp: 6,
    eps: 1e-5,
  },
  ...{
    act_fn: "relu",
    normalization_type: "LN",
    positional_embedding_type: "standard",
    attention_dir: "causal",
  },
};
const loaded = async (changes: Cfg, tensors = randomWeights(cfg, 1)) =>
  loadTransformerLens(await writeSafetensors(tensors), { cfg: { ...cfg, ...changes } as never });

test.each([
  [{ positional_embedding_type: "shortformer" }, /is "shortformer", expected .* shortformer without norms/],
  [{ positional_embedding_type: "sinusoidal" }, /`cfg.positional_embedding_type` is "sinusoidal"/],
  [
    { act_fn: "solu_ln" },
    /`cfg.act_fn` is "solu_ln", expected one of relu, gelu, .*\nFix: qkv does not implement `act_fn: "solu_ln"` of TransformerLens\. Take/,
  ],
  [
    { act_fn: undefined as never },
    /`cfg.act_fn` is undefined, .*\nFix: take the configuration of the model\./,
  ],
  [
    { scale_attn_by_inverse_layer_idx: true },
    /`cfg.scale_attn_by_inverse_layer_idx` is true, expected false/,
  ],
  [{ num_experts: 8 }, /`cfg.num_experts` is 8, expected none/],
  [{ final_rms: true }, /`cfg.final_rms` is true/],
  [{ attn_onyl: true }, /`cfg.attn_onyl` is true, .*\nFix: did you mean `attn_only`/],
  [{ d_model: "four" }, /`cfg.d_model` is "four", expected an integer/],
  [{ normalization_type: "LNPre" }, /`source` is "a tensor blocks.0.ln1.b"|`source` is "a tensor/],
  [{ d_vocab_out: 3 }, /`source: unembed.W_U` has shape \[4, 5\], expected \[4, 3\]/],
  [{ n_layers: 2 }, /expected a tensor blocks.1.ln1.w \[4\]/],
])("%o is refused by its name", async (changes, message) => {
  await expect(loaded(changes as Cfg)).rejects.toThrow(message);
});

test("fields without effect are ignored, and a file needs a configuration", async () => {
  const more = {
    seed: 42,
    device: "cuda",
    dtype: "torch.float32",
    n_params: 3,
    use_attn_result: true,
    num_experts: null,
  };
  expect((await loaded(more)).config.numLayers).toBe(1);
  await expect(loadTransformerLens(await writeSafetensors(randomWeights(cfg, 1)))).rejects.toThrow(
    /loadTransformerLens: `cfg` is "none in the file's metadata".*\nFix: give `cfg`/,
  );
});

test.each([
  [{ qkNorm: true }, /`model.config.qkNorm` is true, expected nothing/],
  [{ placement: "post" }, /`model.config.placement` is "post"/],
  [{ activation: "reluSquared" }, /`model.config.activation` is "reluSquared"/],
  [{ sinks: true }, /`model.config.sinks` is true/],
  [{ feedForwardLayers: [true, false] }, /`model.config.feedForwardLayers`/],
] as [Partial<DecoderConfig>, RegExp][])("a decoder with %o is not written", (config, message) => {
  expect(() => transformerLensCheckpoint(made(config))).toThrow(message);
});

test("gains of a model without norms, and biases before a gated product, are not written", () => {
  const model = made({ norm: "none" });
  model.params.norm.weight = tensor([1, 1, 2, 1, 1, 1, 1, 1]);
  expect(() => transformerLensCheckpoint(model)).toThrow(/`params.norm.weight` is "gains that were trained"/);
  const gated = randomDecoder("llama", { vocabSize: 13 } as never);
  const { feedForward } = gated.params.layers[0]! as { feedForward: { up: { bias?: Tensor } } };
  feedForward.up.bias = randn([40], { seed: 1 });
  expect(() => transformerLensCheckpoint(gated)).toThrow(/`params.layers.0.feedForward.up.bias` is "biases"/);
});

test("formats without such models refuse a decoder without norms", async () => {
  const model = made({ norm: "none", positions: "learned" });
  for (const to of ["hf", "gguf"] as const)
    await expect(exportModel(model, { to, out: memoryFolder() })).rejects.toThrow(/config\.norm/);
});
