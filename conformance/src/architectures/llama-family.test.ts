import type { DType } from "@qkv/tensor";
import { expect, test } from "vitest";
import { load } from "@qkv/transformer";
import "@qkv/test-support/allclose";
import { expectAgreement, ids } from "./agree.js";
import { randomWeights, writeCheckpoint, type RandomWeights } from "./random-checkpoint.js";
import {
  attend,
  each,
  frequencies,
  geluTanh,
  heads,
  linear,
  plus,
  rms,
  rotate,
  silu,
  times,
  within,
  type Rows,
} from "./reference.js";

const sizes = {
  vocab_size: 17,
  hidden_size: 16,
  intermediate_size: 20,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  eos_token_id: 2,
};
const [V, C, F, L, H, Hkv] = [17, 16, 20, 3, 4, 2];

type Shapes = Record<string, number[]>;

/** The tensors of a Llama layer. */
const layer = (i: number, D: number, more: Shapes = {}): Shapes => {
  const path = `model.layers.${i}`;
  const own: Shapes = {
    "input_layernorm.weight": [C],
    "self_attn.q_proj.weight": [H * D, C],
    "self_attn.k_proj.weight": [Hkv * D, C],
    "self_attn.v_proj.weight": [Hkv * D, C],
    "self_attn.o_proj.weight": [C, H * D],
    "post_attention_layernorm.weight": [C],
    "mlp.gate_proj.weight": [F, C],
    "mlp.up_proj.weight": [F, C],
    "mlp.down_proj.weight": [C, F],
    ...more,
  };
  return Object.fromEntries(Object.entries(own).map(([name, shape]) => [`${path}.${name}`, shape]));
};
const model = (D: number, more?: Shapes): Shapes => ({
  "model.embed_tokens.weight": [V, C],
  ...Object.assign({}, ...Array.from({ length: L }, (_, i) => layer(i, D, more))),
  "model.norm.weight": [C],
});

/** All of a Llama layer except attention and norms: the rows after its feed-forward part. */
const gated = (w: RandomWeights, path: string, x: Rows, bend = silu): Rows =>
  linear(
    times(
      each(linear(x, w.rows(`${path}.gate_proj.weight`)), bend),
      linear(x, w.rows(`${path}.up_proj.weight`)),
    ),
    w.rows(`${path}.down_proj.weight`),
  );

const embed = (w: RandomWeights, name = "model.embed_tokens.weight"): Rows =>
  ids.map((id) => w.rows(name)[id]!);

/** Reference implementation of Llama. The arguments are the differences of its relatives. */
function referenceLlama(
  w: RandomWeights,
  {
    D = 4,
    radians = frequencies(10000, D),
    sees = () => (t: number, s: number) => s <= t,
    bias = false,
    qkNorm = false,
    head = "lm_head.weight",
    eps = 1e-5,
  }: {
    D?: number;
    radians?: number[];
    sees?: (layer: number) => (t: number, s: number) => boolean;
    bias?: boolean;
    qkNorm?: boolean;
    head?: string;
    eps?: number;
  },
): Rows {
  let x = embed(w);
  for (let i = 0; i < L; i++) {
    const path = `model.layers.${i}`;
    const y = rms(x, w.vector(`${path}.input_layernorm.weight`), eps);
    const project = (name: string, count: number) =>
      heads(
        linear(
          y,
          w.rows(`${path}.self_attn.${name}_proj.weight`),
          bias ? w.vector(`${path}.self_attn.${name}_proj.bias`) : undefined,
        ),
        count,
      );
    const rotated = (name: string, count: number) =>
      project(name, count).map((one) =>
        rotate(qkNorm ? rms(one, w.vector(`${path}.self_attn.${name}_norm.weight`), eps) : one, radians),
      );
    const mixed = attend(rotated("q", H), rotated("k", Hkv), project("v", Hkv), {
      scale: D ** -0.5,
      sees: sees(i),
    });
    x = plus(x, linear(mixed, w.rows(`${path}.self_attn.o_proj.weight`)));
    x = plus(x, gated(w, `${path}.mlp`, rms(x, w.vector(`${path}.post_attention_layernorm.weight`), eps)));
  }
  return linear(rms(x, w.vector("model.norm.weight"), eps), w.rows(head));
}

test.each<[string, { dtype?: DType; shards?: number }]>([
  ["in one file", {}],
  ["in three", { shards: 3 }],
  ["as float16", { dtype: "float16" }],
  ["as bfloat16, in two", { dtype: "bfloat16", shards: 2 }],
  ["as float64", { dtype: "float64" }],
])("Llama 2, %s", async (_, storage) => {
  const w = randomWeights({ ...model(4), "lm_head.weight": [V, C] }, storage);
  const config = { ...sizes, model_type: "llama", tie_word_embeddings: false };
  const loaded = await expectAgreement(
    await writeCheckpoint(config, w.tensors, storage),
    referenceLlama(w, {}),
  );
  expect(loaded.config).toMatchObject({ numKvHeads: 2, contextLength: 64, stopIds: [2] });
});

test("Llama 3: another rotary base, scaled low frequencies, old and new field names; tied embeddings; several stop tokens", async () => {
  const w = randomWeights(model(4));
  const numbers = {
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 16,
  };
  // Wavelengths of 2π and 2π · 500000^½ tokens: the first is between 16 / 4 and 16 / 1, the second longer than 16.
  const kept = (16 / (2 * Math.PI) - 1) / 3;
  const radians = [(1 - kept) / 8 + kept, 500000 ** -0.5 / 8];
  const logits = referenceLlama(w, { radians, head: "model.embed_tokens.weight" });
  for (const rope of [
    { rope_theta: 500000, rope_scaling: { rope_type: "llama3", ...numbers } },
    { rope_parameters: { rope_type: "llama3", rope_theta: 500000, ...numbers } },
  ]) {
    const config = {
      ...sizes,
      ...rope,
      model_type: "llama",
      tie_word_embeddings: true,
      eos_token_id: [2, 5],
    };
    const loaded = await expectAgreement(await writeCheckpoint(config, w.tensors), logits);
    expect(loaded.config.stopIds).toEqual([2, 5]);
  }
});

test("Mistral: a sliding window in every layer, a head size other than C / H", async () => {
  const w = randomWeights({ ...model(6), "lm_head.weight": [V, C] });
  const config = { ...sizes, model_type: "mistral", head_dim: 6, sliding_window: 4 };
  await expectAgreement(
    await writeCheckpoint(config, w.tensors),
    referenceLlama(w, { D: 6, sees: () => within(4) }),
  );
  // Without a window the logits differ.
  const open = await load(await writeCheckpoint({ ...config, sliding_window: null }, w.tensors));
  const logits = referenceLlama(w, { D: 6, sees: () => within(4) }).flat();
  expect(open.apply(open.params, ids).data).not.toBeAllclose(logits, { rtol: 0, atol: 1e-2 });
});

const biases: Shapes = {
  "self_attn.q_proj.bias": [H * 4],
  "self_attn.k_proj.bias": [Hkv * 4],
  "self_attn.v_proj.bias": [Hkv * 4],
};

test("Qwen 2: biases of queries, keys and values; a sliding window in the last layers if enabled", async () => {
  const w = randomWeights({ ...model(4, biases), "lm_head.weight": [V, C] });
  const config = { ...sizes, model_type: "qwen2", sliding_window: 3, max_window_layers: 1 };
  const plain = await expectAgreement(
    await writeCheckpoint(config, w.tensors),
    referenceLlama(w, { bias: true }),
  );
  expect(plain.config.bias).toEqual({ queryKeyValue: true, attentionOutput: false });
  const sliding = referenceLlama(w, { bias: true, sees: (i) => (i >= 1 ? within(3) : within(99)) });
  await expectAgreement(await writeCheckpoint({ ...config, use_sliding_window: true }, w.tensors), sliding);
  const listed = {
    ...config,
    use_sliding_window: true,
    layer_types: ["full_attention", "sliding_attention", "sliding_attention"],
  };
  await expectAgreement(await writeCheckpoint(listed, w.tensors), sliding);
});

test("Qwen 3: queries and keys are normalized per head before the rotation", async () => {
  const w = randomWeights(model(6, { "self_attn.q_norm.weight": [6], "self_attn.k_norm.weight": [6] }));
  const config = {
    ...sizes,
    model_type: "qwen3",
    head_dim: 6,
    rope_theta: 1000000,
    tie_word_embeddings: true,
  };
  const logits = referenceLlama(w, {
    D: 6,
    qkNorm: true,
    radians: frequencies(1000000, 6),
    head: "model.embed_tokens.weight",
  });
  await expectAgreement(await writeCheckpoint(config, w.tensors), logits);
  // Without a head size in the configuration, the weights determine it.
  const { head_dim: _, ...silent } = config;
  await expectAgreement(await writeCheckpoint(silent, w.tensors), logits);
});

test("Mixtral and Qwen 3 MoE: a router and experts, with weights normalized or not", async () => {
  const experts = 4;
  for (const [type, path, gate, up, down] of [
    ["mixtral", "block_sparse_moe", "w1", "w3", "w2"],
    ["qwen3_moe", "mlp", "gate_proj", "up_proj", "down_proj"],
  ] as const) {
    const own: Shapes = { [`${path}.gate.weight`]: [experts, C] };
    for (let e = 0; e < experts; e++) {
      own[`${path}.experts.${e}.${gate}.weight`] = [F, C];
      own[`${path}.experts.${e}.${up}.weight`] = [F, C];
      own[`${path}.experts.${e}.${down}.weight`] = [C, F];
    }
    const qkNorm = type === "qwen3_moe";
    if (qkNorm) Object.assign(own, { "self_attn.q_norm.weight": [4], "self_attn.k_norm.weight": [4] });
    const shapes = Object.fromEntries(
      Object.entries(model(4, own)).filter(([name]) => !/mlp\.(gate|up|down)_proj/.test(name)),
    );
    const w = randomWeights({ ...shapes, "lm_head.weight": [V, C] });
    for (const norm_topk_prob of type === "mixtral" ? [true] : [true, false]) {
      let x = embed(w);
      for (let i = 0; i < L; i++) {
        const at = `model.layers.${i}`;
        const y = rms(x, w.vector(`${at}.input_layernorm.weight`), 1e-5);
        const project = (name: string, count: number) =>
          heads(linear(y, w.rows(`${at}.self_attn.${name}_proj.weight`)), count);
        const rotated = (name: string, count: number) =>
          project(name, count).map((one) =>
            rotate(
              qkNorm ? rms(one, w.vector(`${at}.self_attn.${name}_norm.weight`), 1e-5) : one,
              frequencies(10000, 4),
            ),
          );
        x = plus(
          x,
          linear(
            attend(rotated("q", H), rotated("k", Hkv), project("v", Hkv), { scale: 0.5 }),
            w.rows(`${at}.self_attn.o_proj.weight`),
          ),
        );
        const z = rms(x, w.vector(`${at}.post_attention_layernorm.weight`), 1e-5);
        const added = z.map((row) => {
          const powers = linear([row], w.rows(`${at}.${path}.gate.weight`))[0]!.map(Math.exp);
          const best = [...powers.keys()].sort((a, b) => powers[b]! - powers[a]!).slice(0, 2);
          const total = (norm_topk_prob ? best.map((e) => powers[e]!) : powers).reduce((a, b) => a + b);
          return best
            .map((e) => {
              const expert = `${at}.${path}.experts.${e}`;
              const opened = times(
                each(linear([row], w.rows(`${expert}.${gate}.weight`)), silu),
                linear([row], w.rows(`${expert}.${up}.weight`)),
              );
              return each(
                linear(opened, w.rows(`${expert}.${down}.weight`)),
                (v) => (v * powers[e]!) / total,
              );
            })
            .reduce(plus)[0]!;
        });
        x = plus(x, added);
      }
      const logits = linear(rms(x, w.vector("model.norm.weight"), 1e-5), w.rows("lm_head.weight"));
      const config = {
        ...sizes,
        model_type: type,
        [type === "mixtral" ? "num_local_experts" : "num_experts"]: experts,
        num_experts_per_tok: 2,
        rope_theta: 10000, // Mixtral has another default
        norm_topk_prob,
        ...(qkNorm && { moe_intermediate_size: F, intermediate_size: 99, head_dim: 4 }),
      };
      await expectAgreement(await writeCheckpoint(config, w.tensors), logits);
    }
  }
});

const sandwich: Shapes = {
  "pre_feedforward_layernorm.weight": [C],
  "post_feedforward_layernorm.weight": [C],
};

/** Gemma stores norm weights minus 1. */
const gemmaNorm = (w: RandomWeights, name: string, x: Rows): Rows =>
  rms(
    x,
    w.vector(name).map((gain) => gain + 1),
    1e-6,
  );

/** Reference implementation of Gemma, Gemma 2 and Gemma 3. */
function referenceGemma(w: RandomWeights, generation: 1 | 2 | 3, D: number, prefix = "model."): Rows {
  let x = each(embed(w, `${prefix}embed_tokens.weight`), (v) => v * Math.sqrt(C));
  for (let i = 0; i < L; i++) {
    const at = `${prefix}layers.${i}`;
    // Gemma 2: a window in every other layer, starting with the first. Gemma 3: in two of three layers here.
    const slides = generation === 2 ? i % 2 === 0 : generation === 3 && i !== 2;
    const radians = frequencies(generation === 3 && !slides ? 1000000 : 10000, D).map((f) =>
      generation === 3 && !slides ? f / 8 : f,
    );
    const y = gemmaNorm(w, `${at}.input_layernorm.weight`, x);
    const project = (name: string, count: number) =>
      heads(linear(y, w.rows(`${at}.self_attn.${name}_proj.weight`)), count);
    const rotated = (name: string, count: number) =>
      project(name, count).map((one) =>
        rotate(generation === 3 ? gemmaNorm(w, `${at}.self_attn.${name}_norm.weight`, one) : one, radians),
      );
    const mixed = attend(rotated("q", H), rotated("k", Hkv), project("v", Hkv), {
      scale: generation === 1 ? D ** -0.5 : 9 ** -0.5,
      sees: slides ? within(4) : within(99),
      ...(generation === 2 && { softcap: 1.5 }),
    });
    const attended = linear(mixed, w.rows(`${at}.self_attn.o_proj.weight`));
    if (generation === 1) {
      x = plus(x, attended);
      x = plus(x, gated(w, `${at}.mlp`, gemmaNorm(w, `${at}.post_attention_layernorm.weight`, x), geluTanh));
    } else {
      x = plus(x, gemmaNorm(w, `${at}.post_attention_layernorm.weight`, attended));
      const fed = gated(w, `${at}.mlp`, gemmaNorm(w, `${at}.pre_feedforward_layernorm.weight`, x), geluTanh);
      x = plus(x, gemmaNorm(w, `${at}.post_feedforward_layernorm.weight`, fed));
    }
  }
  const logits = linear(gemmaNorm(w, `${prefix}norm.weight`, x), w.rows(`${prefix}embed_tokens.weight`));
  return generation === 2 ? each(logits, (v) => 3 * Math.tanh(v / 3)) : logits;
}

const gemma = { ...sizes, rms_norm_eps: 1e-6, head_dim: 6 };

test("Gemma: norm weights plus 1, embeddings times √C, GeGLU with the tanh approximation under any name", async () => {
  const w = randomWeights(model(6), { normMean: 0 });
  const logits = referenceGemma(w, 1, 6);
  await expectAgreement(
    await writeCheckpoint({ ...gemma, model_type: "gemma", hidden_act: "gelu" }, w.tensors),
    logits,
  );
});

test("Gemma 2: norms before and after, softcaps, a sliding window in every other layer", async () => {
  const w = randomWeights(model(6, sandwich), { normMean: 0 });
  const config = {
    ...gemma,
    model_type: "gemma2",
    hidden_activation: "gelu_pytorch_tanh",
    query_pre_attn_scalar: 9,
    attn_logit_softcapping: 1.5,
    final_logit_softcapping: 3,
    sliding_window: 4,
  };
  const logits = referenceGemma(w, 2, 6);
  await expectAgreement(await writeCheckpoint(config, w.tensors, { shards: 2 }), logits);
  for (const change of [
    { attn_logit_softcapping: null },
    { final_logit_softcapping: null },
    { query_pre_attn_scalar: 6 },
    { sliding_window: 5 },
  ]) {
    const other = await load(await writeCheckpoint({ ...config, ...change }, w.tensors));
    expect(other.apply(other.params, ids).data).not.toBeAllclose(logits.flat(), { rtol: 0, atol: 1e-3 });
  }
});

test("Gemma 3: two rotary bases, QK-norm, as a text model and inside a vision-language model", async () => {
  const shapes = model(6, { ...sandwich, "self_attn.q_norm.weight": [6], "self_attn.k_norm.weight": [6] });
  const text = {
    ...gemma,
    hidden_activation: "gelu_pytorch_tanh",
    query_pre_attn_scalar: 9,
    sliding_window: 4,
  };
  const older = {
    ...text,
    model_type: "gemma3_text",
    sliding_window_pattern: 3,
    rope_theta: 1000000,
    rope_local_base_freq: 10000,
    rope_scaling: { rope_type: "linear", factor: 8 },
  };
  const w = randomWeights(shapes, { normMean: 0 });
  await expectAgreement(await writeCheckpoint(older, w.tensors), referenceGemma(w, 3, 6));

  const newer = {
    ...text,
    layer_types: ["sliding_attention", "sliding_attention", "full_attention"],
    rope_parameters: {
      full_attention: { rope_type: "linear", rope_theta: 1000000, factor: 8 },
      sliding_attention: { rope_type: "default", rope_theta: 10000 },
    },
  };
  const inside = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [`language_model.${name}`, shape]),
  );
  const outer = randomWeights({ ...inside, "vision_tower.patches.weight": [4, 4] }, { normMean: 0 });
  const folder = await writeCheckpoint({ model_type: "gemma3", text_config: newer }, outer.tensors);
  await expectAgreement(folder, referenceGemma(outer, 3, 6, "language_model.model."));
});

test("Gemma 3 inside a vision-language model omits fields with the values of the smallest model", async () => {
  const own: Shapes = {
    "self_attn.q_proj.weight": [8 * 256, 4],
    "self_attn.k_proj.weight": [4 * 256, 4],
    "self_attn.v_proj.weight": [4 * 256, 4],
    "self_attn.o_proj.weight": [4, 8 * 256],
    "self_attn.q_norm.weight": [256],
    "self_attn.k_norm.weight": [256],
    "mlp.gate_proj.weight": [6, 4],
    "mlp.up_proj.weight": [6, 4],
    "mlp.down_proj.weight": [4, 6],
  };
  for (const side of ["input", "post_attention", "pre_feedforward", "post_feedforward"])
    own[`${side}_layernorm.weight`] = [4];
  const path = "language_model.model.";
  const w = randomWeights({
    [`${path}embed_tokens.weight`]: [262208, 4],
    ...Object.fromEntries(Object.entries(own).map(([name, shape]) => [`${path}layers.0.${name}`, shape])),
    [`${path}norm.weight`]: [4],
  });
  const text = {
    model_type: "gemma3_text",
    hidden_size: 4,
    intermediate_size: 6,
    num_hidden_layers: 1,
    rope_scaling: { factor: 8, rope_type: "linear" },
    sliding_window: 1024,
  };
  const { config } = await load(
    await writeCheckpoint({ model_type: "gemma3", text_config: text }, w.tensors),
  );
  expect(config).toMatchObject({
    vocabSize: 262208,
    numHeads: 8,
    numKvHeads: 4,
    headDim: 256,
    contextLength: 131072,
    attentionScale: 1 / 16,
    window: 1024,
    layerTypes: ["sliding"],
    ropeBase: 1e6,
    ropeScaling: { type: "linear", factor: 8 },
    slidingRopeBase: 10000,
    normEps: 1e-6,
  });
});

test.each([
  ["a part of each head turns", { partial_rotary_factor: 0.5 }],
  [
    "the same in the newer spelling",
    { rope_parameters: { rope_type: "default", rope_theta: 10000, partial_rotary_factor: 0.5 } },
  ],
  [
    "pairs have factors of their own",
    {
      rope_scaling: { type: "longrope", short_factor: [1.5, 2, 3, 4], long_factor: [5, 6, 7, 8] },
      original_max_position_embeddings: 16,
    },
  ],
])("Phi-3: fused projections; %s", async (_, rope) => {
  const D = 8;
  const fused = Object.fromEntries(
    Object.entries(
      model(D, {
        "self_attn.qkv_proj.weight": [(H + 2 * Hkv) * D, C],
        "mlp.gate_up_proj.weight": [2 * F, C],
      }),
    ).filter(([name]) => !/\.(q|k|v)_proj\.|mlp\.(gate|up)_proj\./.test(name)),
  );
  const w = randomWeights({ ...fused, "lm_head.weight": [V, C] });
  const long = "rope_scaling" in rope;
  const radians = long ? frequencies(10000, 8).map((f, i) => f / [1.5, 2, 3, 4][i]!) : frequencies(10000, 4);
  // 64 positions instead of 16.
  const factor = long ? Math.sqrt(1 + Math.log(4) / Math.log(16)) : 1;
  let x = embed(w);
  for (let i = 0; i < L; i++) {
    const at = `model.layers.${i}`;
    const joined = heads(
      linear(
        rms(x, w.vector(`${at}.input_layernorm.weight`), 1e-5),
        w.rows(`${at}.self_attn.qkv_proj.weight`),
      ),
      H + 2 * Hkv,
    );
    const rotated = (some: Rows[]) => some.map((one) => rotate(one, radians, factor));
    const mixed = attend(
      rotated(joined.slice(0, H)),
      rotated(joined.slice(H, H + Hkv)),
      joined.slice(H + Hkv),
      {
        scale: D ** -0.5,
        sees: within(5),
      },
    );
    x = plus(x, linear(mixed, w.rows(`${at}.self_attn.o_proj.weight`)));
    const both = linear(
      rms(x, w.vector(`${at}.post_attention_layernorm.weight`), 1e-5),
      w.rows(`${at}.mlp.gate_up_proj.weight`),
    );
    const [gate, up] = heads(both, 2) as [Rows, Rows];
    x = plus(x, linear(times(each(gate, silu), up), w.rows(`${at}.mlp.down_proj.weight`)));
  }
  const logits = linear(rms(x, w.vector("model.norm.weight"), 1e-5), w.rows("lm_head.weight"));
  const config = { ...sizes, ...rope, model_type: "phi3", head_dim: D, sliding_window: 5 };
  await expectAgreement(await writeCheckpoint(config, w.tensors, { shards: 2 }), logits);
});
