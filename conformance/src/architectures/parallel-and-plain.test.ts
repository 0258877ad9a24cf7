import { load } from "@qkv/transformer";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { expectWritten, ids } from "./agree.js";
import { randomWeights, writeCheckpoint, type RandomWeights } from "./random-checkpoint.js";
import {
  attend,
  each,
  frequencies,
  gelu,
  geluTanh,
  heads,
  layerNorm,
  linear,
  plus,
  rms,
  rotate,
  silu,
  times,
  within,
  type Rows,
} from "./reference.js";

// Decoders without published references, compared with a float64 implementation in this file.

const [V, C, F, L, H, Hkv, D] = [17, 16, 20, 2, 4, 2, 4];
const sizes = {
  vocab_size: V,
  hidden_size: C,
  intermediate_size: F,
  num_hidden_layers: L,
  num_attention_heads: H,
  num_key_value_heads: Hkv,
  max_position_embeddings: 64,
  eos_token_id: 2,
  tie_word_embeddings: false,
};

type Shapes = Record<string, number[]>;
type Names = { embed: string; layers: string; norm: string; head: string };
const names: Names = {
  embed: "model.embed_tokens.weight",
  layers: "model.layers",
  norm: "model.norm",
  head: "lm_head",
};
const gptNames: Names = {
  embed: "transformer.wte.weight",
  layers: "transformer.h",
  norm: "transformer.ln_f",
  head: "lm_head",
};

/** Shapes of a model's tensors: those of a layer under each layer's path, and those outside of layers. */
const shapesOf = (names: Names, layer: Shapes, around: Shapes): Shapes => ({
  [names.embed]: [V, C],
  ...Object.assign(
    {},
    ...Array.from({ length: L }, (_, i) =>
      Object.fromEntries(
        Object.entries(layer).map(([name, shape]) => [`${names.layers}.${i}.${name}`, shape]),
      ),
    ),
  ),
  ...around,
});

const biased = (shapes: Shapes): Shapes =>
  Object.fromEntries(
    Object.entries(shapes).flatMap(([path, shape]) => [
      [`${path}.weight`, shape],
      [`${path}.bias`, [shape[0]!]],
    ]),
  );
const plain = (shapes: Shapes): Shapes =>
  Object.fromEntries(Object.entries(shapes).map(([path, shape]) => [`${path}.weight`, shape]));

/** A linear map by its path, with its bias if it has one. */
const map = (w: RandomWeights, path: string, x: Rows): Rows =>
  linear(x, w.rows(`${path}.weight`), w.has(`${path}.bias`) ? w.vector(`${path}.bias`) : undefined);

/** A layer norm by its path; `plus` is added to its weight. */
const norm = (w: RandomWeights, path: string, x: Rows, eps = 1e-5, plus = 0): Rows =>
  layerNorm(
    x,
    w.vector(`${path}.weight`).map((gain) => gain + plus),
    w.has(`${path}.bias`) ? w.vector(`${path}.bias`) : Array.from({ length: C }, () => 0),
    eps,
  );

/** Rotates interleaved pairs; later dimensions are unchanged. */
const rotateNeighbours = (head: Rows, radians: readonly number[]): Rows =>
  head.map((row, position) =>
    row.map((v, d) => {
      if (d >= 2 * radians.length) return v;
      const angle = position * radians[d >> 1]!;
      const other = d % 2 === 0 ? -row[d + 1]! : row[d - 1]!;
      return v * Math.cos(angle) + other * Math.sin(angle);
    }),
  );

const reluSquared = (x: number) => Math.max(0, x) ** 2;

type Rotation = (head: Rows) => Rows;
const attentionOf = (
  q: Rows,
  k: Rows,
  v: Rows,
  rotation: Rotation,
  kv = Hkv,
  more: Partial<Parameters<typeof attend>[3]> = {},
) =>
  attend(heads(q, H).map(rotation), heads(k, kv).map(rotation), heads(v, kv), { scale: D ** -0.5, ...more });

/** Applies the layers in sequence, then the last norm, and returns the logits. */
function run(
  w: RandomWeights,
  names: Names,
  layer: (x: Rows, path: string, i: number) => Rows,
  last: (x: Rows) => Rows = (x) => norm(w, names.norm, x),
): Rows {
  let x = ids.map((id) => w.rows(names.embed)[id]!);
  for (let i = 0; i < L; i++) x = layer(x, `${names.layers}.${i}`, i);
  return map(w, names.head, last(x));
}

const llamaAttention = {
  "self_attn.q_proj": [H * D, C],
  "self_attn.k_proj": [Hkv * D, C],
  "self_attn.v_proj": [Hkv * D, C],
};

/** Queries, keys and values of rows, each with its own projection. */
const projected = (w: RandomWeights, path: string, y: Rows): [Rows, Rows, Rows] => [
  map(w, `${path}.q_proj`, y),
  map(w, `${path}.k_proj`, y),
  map(w, `${path}.v_proj`, y),
];

/** A layer of Llama: norms by their paths before attention and before a gated MLP. */
const llamaLayer =
  (
    w: RandomWeights,
    own: (path: string, x: Rows) => Rows,
    rotation: Rotation,
    more: (i: number) => Partial<Parameters<typeof attend>[3]> = () => ({}),
  ) =>
  (x: Rows, path: string, i: number): Rows => {
    const [q, k, v] = projected(w, `${path}.self_attn`, own(`${path}.input_layernorm`, x));
    x = plus(x, map(w, `${path}.self_attn.o_proj`, attentionOf(q, k, v, rotation, Hkv, more(i))));
    const z = own(`${path}.post_attention_layernorm`, x);
    const inner = times(each(map(w, `${path}.mlp.gate_proj`, z), silu), map(w, `${path}.mlp.up_proj`, z));
    return plus(x, map(w, `${path}.mlp.down_proj`, inner));
  };

test("Helium: Llama with interleaved rotary pairs", async () => {
  const layer = {
    ...plain({ ...llamaAttention, "self_attn.o_proj": [C, H * D] }),
    ...plain({ "mlp.gate_proj": [F, C], "mlp.up_proj": [F, C], "mlp.down_proj": [C, F] }),
    ...plain({ input_layernorm: [C], post_attention_layernorm: [C] }),
  };
  const w = randomWeights(shapesOf(names, layer, plain({ "model.norm": [C], lm_head: [V, C] })));
  const own = (path: string, x: Rows) => rms(x, w.vector(`${path}.weight`), 1e-8);
  const rotation: Rotation = (head) => rotateNeighbours(head, frequencies(100000, D));
  const logits = run(w, names, llamaLayer(w, own, rotation), (x) => own("model.norm", x));
  // With permuted weights it equals Llama, and is exported as Llama.
  await expectWritten(
    { ...sizes, model_type: "helium", rope_theta: 100000, rms_norm_eps: 1e-8, head_dim: D },
    w,
    logits,
    "llama",
  );
});

test("Seed-OSS: Llama with biases of queries, keys and values; exported as Qwen 2, which is equal", async () => {
  const layer = {
    ...biased(llamaAttention),
    ...plain({
      "self_attn.o_proj": [C, H * D],
      "mlp.gate_proj": [F, C],
      "mlp.up_proj": [F, C],
      "mlp.down_proj": [C, F],
    }),
    ...plain({ input_layernorm: [C], post_attention_layernorm: [C] }),
  };
  const w = randomWeights(shapesOf(names, layer, plain({ "model.norm": [C], lm_head: [V, C] })));
  const own = (path: string, x: Rows) => rms(x, w.vector(`${path}.weight`), 1e-6);
  const rotation: Rotation = (head) => rotate(head, frequencies(10000, D));
  const logits = run(w, names, llamaLayer(w, own, rotation), (x) => own("model.norm", x));
  await expectWritten(
    { ...sizes, model_type: "seed_oss", head_dim: D, rms_norm_eps: 1e-6 },
    w,
    logits,
    "qwen2",
  );
});

test("OLMo: layer norms without weights", async () => {
  const layer = plain({
    ...llamaAttention,
    "self_attn.o_proj": [C, H * D],
    "mlp.gate_proj": [F, C],
    "mlp.up_proj": [F, C],
    "mlp.down_proj": [C, F],
  });
  const w = randomWeights(shapesOf(names, layer, plain({ lm_head: [V, C] })));
  const [ones, zeros] = [1, 0].map((x) => Array.from({ length: C }, () => x)) as [number[], number[]];
  const own = (_: string, x: Rows) => layerNorm(x, ones, zeros, 1e-5);
  const rotation: Rotation = (head) => rotate(head, frequencies(10000, D));
  const logits = run(w, names, llamaLayer(w, own, rotation), (x) => own("", x));
  const config = { ...sizes, model_type: "olmo", hidden_act: "silu", clip_qkv: null };
  await expectWritten(config, w, logits);
  const clipped = load(await writeCheckpoint({ ...config, clip_qkv: 8 }, w.tensors));
  await expect(clipped).rejects.toThrow(/config.json: clip_qkv` is 8, expected null/);
});

test("BioGPT: scaled embeddings, learned positions after two unused rows", async () => {
  const layer = biased({
    self_attn_layer_norm: [C],
    "self_attn.q_proj": [C, C],
    "self_attn.k_proj": [C, C],
    "self_attn.v_proj": [C, C],
    "self_attn.out_proj": [C, C],
    final_layer_norm: [C],
    fc1: [F, C],
    fc2: [C, F],
  });
  const own: Names = {
    embed: "biogpt.embed_tokens.weight",
    layers: "biogpt.layers",
    norm: "biogpt.layer_norm",
    head: "biogpt.embed_tokens",
  };
  const around = { "biogpt.embed_positions.weight": [66, C], ...biased({ "biogpt.layer_norm": [C] }) };
  const w = randomWeights(shapesOf(own, layer, around));
  const table = w.rows("biogpt.embed_positions.weight");
  const logits = run(w, own, (x, path, i) => {
    if (i === 0) x = x.map((row, t) => row.map((v, c) => 4 * v + table[t + 2]![c]!));
    const y = norm(w, `${path}.self_attn_layer_norm`, x);
    const [q, k, v] = projected(w, `${path}.self_attn`, y);
    x = plus(
      x,
      map(
        w,
        `${path}.self_attn.out_proj`,
        attentionOf(q, k, v, (head) => head, H),
      ),
    );
    const z = norm(w, `${path}.final_layer_norm`, x);
    return plus(x, map(w, `${path}.fc2`, each(map(w, `${path}.fc1`, z), gelu)));
  });
  const { num_key_value_heads: _, tie_word_embeddings: __, ...config } = sizes;
  await expectWritten(
    { ...config, model_type: "biogpt", hidden_act: "gelu", layer_norm_eps: 1e-12 },
    w,
    logits,
  );
});

test("CWM: full attention in every fourth layer, starting with the first", async () => {
  const layer = plain({
    ...llamaAttention,
    "self_attn.o_proj": [C, H * D],
    "mlp.gate_proj": [F, C],
    "mlp.up_proj": [F, C],
    "mlp.down_proj": [C, F],
    input_layernorm: [C],
    post_attention_layernorm: [C],
  });
  const w = randomWeights(shapesOf(names, layer, plain({ "model.norm": [C], lm_head: [V, C] })));
  const own = (path: string, x: Rows) => rms(x, w.vector(`${path}.weight`), 1e-5);
  const rotation: Rotation = (head) => rotate(head, frequencies(1e6, D));
  const logits = run(
    w,
    names,
    llamaLayer(w, own, rotation, (i) => ({ sees: within(i % 4 === 0 ? 99 : 3) })),
    (x) => own("model.norm", x),
  );
  await expectWritten({ ...sizes, model_type: "cwm", head_dim: D, sliding_window: 3 }, w, logits);
});

test("VaultGemma: Gemma 2 with norms only before attention and MLP", async () => {
  const layer = plain({
    ...llamaAttention,
    "self_attn.o_proj": [C, H * D],
    "mlp.gate_proj": [F, C],
    "mlp.up_proj": [F, C],
    "mlp.down_proj": [C, F],
    input_layernorm: [C],
    pre_feedforward_layernorm: [C],
  });
  const own: Names = { ...names, head: "model.embed_tokens" };
  const w = randomWeights(shapesOf(own, layer, plain({ "model.norm": [C] })), { normMean: 0 });
  const gained = (path: string, x: Rows) =>
    rms(
      x,
      w.vector(`${path}.weight`).map((gain) => 1 + gain),
      1e-6,
    );
  const rotation: Rotation = (head) => rotate(head, frequencies(10000, D));
  const raw = run(
    w,
    own,
    (x, path, i) => {
      if (i === 0) x = each(x, (v) => 4 * v);
      const y = gained(`${path}.input_layernorm`, x);
      const [q, k, v] = projected(w, `${path}.self_attn`, y);
      const more = { scale: 9 ** -0.5, softcap: 50, sees: i % 2 === 0 ? within(3) : within(99) };
      x = plus(x, map(w, `${path}.self_attn.o_proj`, attentionOf(q, k, v, rotation, Hkv, more)));
      const z = gained(`${path}.pre_feedforward_layernorm`, x);
      const inner = times(
        each(map(w, `${path}.mlp.gate_proj`, z), geluTanh),
        map(w, `${path}.mlp.up_proj`, z),
      );
      return plus(x, map(w, `${path}.mlp.down_proj`, inner));
    },
    (x) => gained("model.norm", x),
  );
  const { tie_word_embeddings: _, ...config } = sizes;
  const whole = {
    ...config,
    model_type: "vaultgemma",
    head_dim: D,
    sliding_window: 3,
    query_pre_attn_scalar: 9,
  };
  await expectWritten(
    whole,
    w,
    each(raw, (x) => 30 * Math.tanh(x / 30)),
  );
});

test("Nemotron: norm weights plus 1, squared ReLU, half of each head rotates", async () => {
  const layer = {
    ...plain({
      ...llamaAttention,
      "self_attn.o_proj": [C, H * D],
      "mlp.up_proj": [F, C],
      "mlp.down_proj": [C, F],
    }),
    ...biased({ input_layernorm: [C], post_attention_layernorm: [C] }),
  };
  const w = randomWeights(
    shapesOf(names, layer, { ...biased({ "model.norm": [C] }), ...plain({ lm_head: [V, C] }) }),
    {
      normMean: 0,
    },
  );
  const rotation: Rotation = (head) => rotate(head, frequencies(10000, D / 2));
  const logits = run(
    w,
    names,
    (x, path) => {
      const y = norm(w, `${path}.input_layernorm`, x, 1e-5, 1);
      const [q, k, v] = projected(w, `${path}.self_attn`, y);
      x = plus(x, map(w, `${path}.self_attn.o_proj`, attentionOf(q, k, v, rotation)));
      const z = norm(w, `${path}.post_attention_layernorm`, x, 1e-5, 1);
      return plus(x, map(w, `${path}.mlp.down_proj`, each(map(w, `${path}.mlp.up_proj`, z), reluSquared)));
    },
    (x) => norm(w, "model.norm", x, 1e-5, 1),
  );
  await expectWritten({ ...sizes, model_type: "nemotron", hidden_act: "relu2", norm_eps: 1e-5 }, w, logits);
});

test.each([false, true])(
  "StableLM: layer norms, a part of each head rotates; parallel: %s",
  async (parallel) => {
    const layer = {
      ...biased(llamaAttention),
      ...plain({
        "self_attn.o_proj": [C, H * D],
        "mlp.gate_proj": [F, C],
        "mlp.up_proj": [F, C],
        "mlp.down_proj": [C, F],
      }),
      ...biased({ input_layernorm: [C], ...(!parallel && { post_attention_layernorm: [C] }) }),
    };
    const w = randomWeights(
      shapesOf(names, layer, { ...biased({ "model.norm": [C] }), ...plain({ lm_head: [V, C] }) }),
    );
    const rotation: Rotation = (head) => rotate(head, frequencies(10000, D / 2));
    const logits = run(w, names, (x, path) => {
      const y = norm(w, `${path}.input_layernorm`, x);
      const [q, k, v] = projected(w, `${path}.self_attn`, y);
      const attended = plus(x, map(w, `${path}.self_attn.o_proj`, attentionOf(q, k, v, rotation)));
      const z = parallel ? y : norm(w, `${path}.post_attention_layernorm`, attended);
      const inner = times(each(map(w, `${path}.mlp.gate_proj`, z), silu), map(w, `${path}.mlp.up_proj`, z));
      return plus(attended, map(w, `${path}.mlp.down_proj`, inner));
    });
    const config = {
      ...sizes,
      model_type: "stablelm",
      use_qkv_bias: true,
      partial_rotary_factor: 0.5,
      layer_norm_eps: 1e-5,
    };
    await expectWritten({ ...config, use_parallel_residual: parallel }, w, logits);
  },
);

test("Phi: one norm for attention and MLP, biases everywhere", async () => {
  const layer = biased({
    ...llamaAttention,
    "self_attn.dense": [C, H * D],
    "mlp.fc1": [F, C],
    "mlp.fc2": [C, F],
    input_layernorm: [C],
  });
  const own = { ...names, norm: "model.final_layernorm" };
  const w = randomWeights(shapesOf(own, layer, biased({ "model.final_layernorm": [C], lm_head: [V, C] })));
  const rotation: Rotation = (head) => rotate(head, frequencies(10000, D / 2));
  const logits = run(w, own, (x, path) => {
    const y = norm(w, `${path}.input_layernorm`, x);
    const [q, k, v] = projected(w, `${path}.self_attn`, y);
    const attended = map(w, `${path}.self_attn.dense`, attentionOf(q, k, v, rotation));
    return plus(x, plus(attended, map(w, `${path}.mlp.fc2`, each(map(w, `${path}.mlp.fc1`, y), geluTanh))));
  });
  await expectWritten(
    { ...sizes, model_type: "phi", hidden_act: "gelu_new", layer_norm_eps: 1e-5 },
    w,
    logits,
  );
});

const gptSizes = {
  vocab_size: V,
  n_embd: C,
  n_inner: F,
  n_layer: L,
  n_head: H,
  n_positions: 64,
  eos_token_id: 2,
  rotary_dim: 2,
  activation_function: "gelu_new",
  layer_norm_epsilon: 1e-5,
  tie_word_embeddings: false,
};
const gptLayer = {
  ...biased({ ln_1: [C], "mlp.fc_in": [F, C], "mlp.fc_out": [C, F] }),
  ...plain({ "attn.out_proj": [C, C] }),
};
const gptjLayer =
  (w: RandomWeights, queryKeyValue: (path: string, y: Rows) => [Rows, Rows, Rows]) =>
  (x: Rows, path: string) => {
    const y = norm(w, `${path}.ln_1`, x);
    const [q, k, v] = queryKeyValue(path, y);
    const rotation: Rotation = (head) => rotateNeighbours(head, frequencies(10000, 2));
    const attended = map(w, `${path}.attn.out_proj`, attentionOf(q, k, v, rotation, H));
    return plus(
      x,
      plus(attended, map(w, `${path}.mlp.fc_out`, each(map(w, `${path}.mlp.fc_in`, y), geluTanh))),
    );
  };

test("GPT-J: one norm for attention and MLP, interleaved rotary pairs, a bias of the logits", async () => {
  const layer = {
    ...gptLayer,
    ...plain({ "attn.q_proj": [C, C], "attn.k_proj": [C, C], "attn.v_proj": [C, C] }),
  };
  const w = randomWeights(shapesOf(gptNames, layer, biased({ "transformer.ln_f": [C], lm_head: [V, C] })));
  const apart = gptjLayer(
    w,
    (path, y) => ["q", "k", "v"].map((one) => map(w, `${path}.attn.${one}_proj`, y)) as never,
  );
  await expectWritten({ ...gptSizes, model_type: "gptj" }, w, run(w, gptNames, apart));
});

test("CodeGen: GPT-J with queries, values and keys of each quarter of the heads in one matrix; exported as GPT-J", async () => {
  const layer = { ...gptLayer, ...plain({ "attn.qkv_proj": [3 * C, C] }) };
  const w = randomWeights(shapesOf(gptNames, layer, biased({ "transformer.ln_f": [C], lm_head: [V, C] })));
  const fused = gptjLayer(w, (path, y) => {
    const rows = map(w, `${path}.attn.qkv_proj`, y);
    // 4 quarters of C / 4 rows each: queries, values, keys.
    const part = (at: number) =>
      rows.map((row) =>
        [0, 1, 2, 3].flatMap((quarter) =>
          row.slice((3 * quarter + at) * (C / 4), (3 * quarter + at + 1) * (C / 4)),
        ),
      );
    return [part(0), part(2), part(1)];
  });
  await expectWritten({ ...gptSizes, model_type: "codegen" }, w, run(w, gptNames, fused), "gptj");
});

test("GPT-Neo: unscaled scores, a window in every other layer", async () => {
  const layer = {
    ...plain({
      "attn.attention.q_proj": [C, C],
      "attn.attention.k_proj": [C, C],
      "attn.attention.v_proj": [C, C],
    }),
    ...biased({
      ln_1: [C],
      ln_2: [C],
      "attn.attention.out_proj": [C, C],
      "mlp.c_fc": [F, C],
      "mlp.c_proj": [C, F],
    }),
  };
  const around = { "transformer.wpe.weight": [64, C], ...biased({ "transformer.ln_f": [C] }) };
  const own = { ...gptNames, head: "transformer.wte" };
  const w = randomWeights(shapesOf(own, layer, around));
  const table = w.rows("transformer.wpe.weight");
  const logits = run(w, own, (x, path, i) => {
    if (i === 0) x = x.map((row, t) => row.map((v, c) => v + table[t]![c]!));
    const y = norm(w, `${path}.ln_1`, x);
    const [q, k, v] = projected(w, `${path}.attn.attention`, y);
    const sees = i % 2 === 1 ? within(3) : within(99);
    x = plus(
      x,
      map(
        w,
        `${path}.attn.attention.out_proj`,
        attentionOf(q, k, v, (head) => head, H, { scale: 1, sees }),
      ),
    );
    const z = norm(w, `${path}.ln_2`, x);
    return plus(x, map(w, `${path}.mlp.c_proj`, each(map(w, `${path}.mlp.c_fc`, z), geluTanh)));
  });
  const config = {
    model_type: "gpt_neo",
    vocab_size: V,
    hidden_size: C,
    intermediate_size: F,
    num_layers: L,
    num_heads: H,
    max_position_embeddings: 64,
    window_size: 3,
    attention_types: [[["global", "local"], 1]],
    attention_layers: ["global", "local"],
    eos_token_id: 2,
  };
  await expectWritten(config, w, logits);
});

test("MPT: ALiBi and layer norms, no biases", async () => {
  const layer = plain({
    norm_1: [C],
    "attn.Wqkv": [3 * C, C],
    "attn.out_proj": [C, C],
    norm_2: [C],
    "ffn.up_proj": [4 * C, C],
    "ffn.down_proj": [C, 4 * C],
  });
  const own: Names = {
    embed: "transformer.wte.weight",
    layers: "transformer.blocks",
    norm: "transformer.norm_f",
    head: "transformer.wte",
  };
  const w = randomWeights(shapesOf(own, layer, plain({ "transformer.norm_f": [C] })));
  const logits = run(w, own, (x, path) => {
    const rows = map(w, `${path}.attn.Wqkv`, norm(w, `${path}.norm_1`, x));
    const [q, k, v] = [0, 1, 2].map((part) => rows.map((row) => row.slice(part * C, (part + 1) * C))) as [
      Rows,
      Rows,
      Rows,
    ];
    const slopes = [2 ** -2, 2 ** -4, 2 ** -6, 2 ** -8];
    x = plus(
      x,
      map(w, `${path}.attn.out_proj`, attendWithSlopes(heads(q, H), heads(k, H), heads(v, H), slopes)),
    );
    return plus(
      x,
      map(
        w,
        `${path}.ffn.down_proj`,
        each(map(w, `${path}.ffn.up_proj`, norm(w, `${path}.norm_2`, x)), gelu),
      ),
    );
  });
  const config = {
    model_type: "mpt",
    vocab_size: V,
    d_model: C,
    n_heads: H,
    n_layers: L,
    expansion_ratio: 4,
    max_seq_len: 64,
    no_bias: true,
    attn_config: { alibi: true, alibi_bias_max: 8, attn_impl: "torch", clip_qkv: null, qk_ln: false },
    eos_token_id: 2,
  };
  await expectWritten(config, w, logits);
});

/** Attention with ALiBi: scores decrease by a slope per token of distance. */
function attendWithSlopes(query: Rows[], key: Rows[], value: Rows[], slopes: readonly number[]): Rows {
  const outputs = query.map((q, h) =>
    q.map((row, t) => {
      const scores = key[h]!.slice(0, t + 1).map(
        (k, s) => row.reduce((sum, x, d) => sum + x * k[d]!, 0) / Math.sqrt(D) - slopes[h]! * (t - s),
      );
      const exps = scores.map((score) => Math.exp(score - Math.max(...scores)));
      const total = exps.reduce((a, b) => a + b);
      return value[h]![0]!.map((_, d) =>
        exps.reduce((sum, e, s) => sum + (e / total) * value[h]![s]![d]!, 0),
      );
    }),
  );
  return query[0]!.map((_, t) => outputs.flatMap((head) => head[t]!));
}
