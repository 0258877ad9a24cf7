import { load } from "@qkv/transformer";
import { expect, test } from "vitest";
import { expectWritten, ids } from "./agree.js";
import { randomWeights, writeCheckpoint, type RandomWeights } from "./random-checkpoint.js";
import {
  attend,
  dot,
  each,
  frequencies,
  heads,
  linear,
  plus,
  rms,
  rotate,
  silu,
  times,
  type Rows,
} from "./reference.js";

// Decoders with recurrent states, without published references, compared with a float64 implementation in this file,
// one token at a time.

const [V, C, F, H, Hkv] = [17, 16, 20, 4, 2];
const D = C / H;
const sizes = {
  ...{ vocab_size: V, hidden_size: C, eos_token_id: 2, tie_word_embeddings: false },
};
const ofAttention = {
  ...{ intermediate_size: F, num_attention_heads: H, num_key_value_heads: Hkv },
  max_position_embeddings: 64,
};

type Shapes = Record<string, number[]>;
const below = (path: string, shapes: Shapes): Shapes =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [`${path}.${name}`, shape]));
const map = (w: RandomWeights, path: string, x: Rows): Rows =>
  linear(x, w.rows(`${path}.weight`), w.has(`${path}.bias`) ? w.vector(`${path}.bias`) : undefined);
const norm = (w: RandomWeights, path: string, x: Rows, eps: number): Rows =>
  rms(x, w.vector(`${path}.weight`), eps);
const scaled = (x: Rows, by: number): Rows => each(x, (z) => z * by);
const columns = (x: Rows, ...widths: number[]): Rows[] =>
  widths.map((width, i) => {
    const start = widths.slice(0, i).reduce((a, b) => a + b, 0);
    return x.map((row) => row.slice(start, start + width));
  });
const softplus = (x: number) => Math.log1p(Math.exp(x));

/** A depthwise causal convolution with bias, and SiLU. */
function convolved(w: RandomWeights, path: string, x: Rows): Rows {
  const taps = w.rows(`${path}.weight`);
  const bias = w.has(`${path}.bias`) ? w.vector(`${path}.bias`) : [];
  return x.map((row, t) =>
    row.map((_, c) => {
      const own = taps[c]!;
      const sum = own.reduce((sum, tap, n) => sum + tap * (x[t - own.length + 1 + n]?.[c] ?? 0), 0);
      return silu(sum + (bias[c] ?? 0));
    }),
  );
}

type Mamba2 = { H: number; P: number; N: number; G: number; factors?: number[]; read?: number };

const mamba2Shapes = ({ H, P, N, G }: Mamba2, biases: readonly string[] = []): Shapes => {
  const [inner, channels] = [H * P, H * P + 2 * G * N];
  return {
    ...{ "in_proj.weight": [inner + channels + H, C], "out_proj.weight": [C, inner] },
    ...{ "conv1d.weight": [channels, 1, 4], "conv1d.bias": [channels] },
    ...{ dt_bias: [H], A_log: [H], D: [H] },
    ...(biases.includes("in") && { "in_proj.bias": [inner + channels + H] }),
    ...(biases.includes("out") && { "out_proj.bias": [C] }),
  };
};

/**
 * Mamba-2 up to its output projection. `factors` multiply the parts of its input projection: gate, x, B, C and time
 * steps.
 */
function mamba2(w: RandomWeights, path: string, y: Rows, sizes: Mamba2, eps?: number): Rows {
  const { H, P, N, G, factors = [1, 1, 1, 1, 1], read = 1 } = sizes;
  const parts = columns(map(w, `${path}.in_proj`, scaled(y, read)), H * P, H * P, G * N, G * N, H);
  const [gate, x, B, Q, dt] = parts.map((part, i) => scaled(part, factors[i]!)) as [
    Rows,
    Rows,
    Rows,
    Rows,
    Rows,
  ];
  const mixed = convolved(
    w,
    `${path}.conv1d`,
    x.map((row, t) => [...row, ...B[t]!, ...Q[t]!]),
  );
  const [values, keys, queries] = columns(mixed, H * P, G * N, G * N) as [Rows, Rows, Rows];
  const [rates, steps, skips] = ["A_log", "dt_bias", "D"].map((name) => w.vector(`${path}.${name}`)) as [
    number[],
    number[],
    number[],
  ];
  const outputs = values.map((row) => [...row]);
  for (let h = 0; h < H; h++) {
    const group = Math.floor(h / (H / G));
    let S: Rows = Array.from({ length: N }, () => Array.from({ length: P }, () => 0));
    values.forEach((row, t) => {
      const own = row.slice(h * P, (h + 1) * P);
      const [key, query] = [keys, queries].map((one) => one[t]!.slice(group * N, (group + 1) * N)) as [
        number[],
        number[],
      ];
      const step = softplus(dt[t]![h]! + steps[h]!);
      const keep = Math.exp(-Math.exp(rates[h]!) * step);
      S = S.map((line, n) => line.map((s, p) => keep * s + step * key[n]! * own[p]!));
      own.forEach((v, p) => {
        outputs[t]![h * P + p] = query.reduce((sum, q, n) => sum + q * S[n]![p]!, 0) + skips[h]! * v;
      });
    });
  }
  const gated = times(outputs, each(gate, silu));
  return eps === undefined ? gated : norm(w, `${path}.norm`, gated, eps);
}

type Mamba = { E: number; N: number; R: number };

const mambaShapes = ({ E, N, R }: Mamba): Shapes => ({
  ...{ "in_proj.weight": [2 * E, C], "x_proj.weight": [R + 2 * N, E], "out_proj.weight": [C, E] },
  ...{ "conv1d.weight": [E, 1, 4], "conv1d.bias": [E], "dt_proj.weight": [E, R], "dt_proj.bias": [E] },
  ...{ A_log: [E, N], D: [E] },
});

/** Mamba. `inner`: norms of time steps, B and C, by name. */
function mambaMixer(
  w: RandomWeights,
  path: string,
  y: Rows,
  { E, N, R }: Mamba,
  inner: (name: "dt" | "b" | "c", x: Rows) => Rows,
): Rows {
  const [x, gate] = columns(map(w, `${path}.in_proj`, y), E, E) as [Rows, Rows];
  const values = convolved(w, `${path}.conv1d`, x);
  const [low, B, Q] = columns(map(w, `${path}.x_proj`, values), R, N, N) as [Rows, Rows, Rows];
  const steps = each(map(w, `${path}.dt_proj`, inner("dt", low)), softplus);
  const [keys, queries] = [inner("b", B), inner("c", Q)];
  const [rates, skips] = [w.rows(`${path}.A_log`), w.vector(`${path}.D`)];
  const state = rates.map((row) => row.map(() => 0));
  const outputs = values.map((row, t) =>
    row.map((v, e) => {
      state[e] = state[e]!.map(
        (s, n) => Math.exp(-Math.exp(rates[e]![n]!) * steps[t]![e]!) * s + steps[t]![e]! * keys[t]![n]! * v,
      );
      return dot(state[e]!, queries[t]!) + skips[e]! * v;
    }),
  );
  return map(w, `${path}.out_proj`, times(outputs, each(gate, silu)));
}

const attentionShapes: Shapes = {
  ...{ "self_attn.q_proj.weight": [C, C], "self_attn.k_proj.weight": [Hkv * D, C] },
  ...{ "self_attn.v_proj.weight": [Hkv * D, C], "self_attn.o_proj.weight": [C, C] },
};
function attention(
  w: RandomWeights,
  path: string,
  y: Rows,
  own: (head: Rows, name: "q" | "k") => Rows,
  output = "o_proj",
): Rows {
  const [q, k, v] = (["q", "k", "v"] as const).map((name) =>
    heads(map(w, `${path}.self_attn.${name}_proj`, y), name === "q" ? H : Hkv).map((head) =>
      name === "v" ? head : own(head, name),
    ),
  ) as [Rows[], Rows[], Rows[]];
  return map(w, `${path}.self_attn.${output}`, attend(q, k, v, { scale: D ** -0.5 }));
}
type MapNames = readonly [gate: string, up: string, down: string];
const mapNames: MapNames = ["gate_proj", "up_proj", "down_proj"];
const gatedMlp = (w: RandomWeights, path: string, x: Rows, [gate, up, down]: MapNames = mapNames) =>
  map(w, `${path}.${down}`, times(each(map(w, `${path}.${gate}`, x), silu), map(w, `${path}.${up}`, x)));
const mlpShapes = (path: string, width: number, [gate, up, down]: MapNames = mapNames): Shapes => ({
  [`${path}.${gate}.weight`]: [width, C],
  [`${path}.${up}.weight`]: [width, C],
  [`${path}.${down}.weight`]: [C, width],
});
const mlpsOf = (count: number, path: string, width: number, maps?: MapNames): Shapes =>
  Object.assign(
    {},
    ...Array.from({ length: count }, (_, e) => mlpShapes(`${path}.${e}`, width, maps)),
  ) as Shapes;
/** The weighted sum of a token's experts with the highest scores. */
function experts(
  logits: Rows,
  x: Rows,
  expert: (e: number, x: Rows) => Rows,
  shares: (logits: number[]) => readonly (readonly [expert: number, share: number])[],
): Rows {
  return x.map((row, t) => {
    const sum = row.map(() => 0);
    for (const [e, share] of shares(logits[t]!))
      expert(e, [row])[0]!.forEach((z, c) => (sum[c]! += share * z));
    return sum;
  });
}
const best = (scores: readonly number[], k: number) =>
  scores
    .map((_, e) => e)
    .sort((a, b) => scores[b]! - scores[a]!)
    .slice(0, k);

const layersOf = (count: number, path: string, shapes: (i: number) => Shapes): Shapes =>
  Object.assign({}, ...Array.from({ length: count }, (_, i) => below(`${path}.${i}`, shapes(i)))) as Shapes;

/** Expects that each change of a field changes the logits. */
async function expectTraits(config: object, w: RandomWeights, changes: readonly object[]): Promise<void> {
  const logits = async (more: object) => {
    const model = await load(await writeCheckpoint({ ...config, ...more }, w.tensors));
    return model.apply(model.params, ids).data;
  };
  const whole = await logits({});
  for (const change of changes) {
    const moved = await logits(change);
    expect(Math.max(...moved.map((x, i) => Math.abs(x - whole[i]!))), JSON.stringify(change)).toBeGreaterThan(
      1e-3,
    );
  }
}

const mamba2Fields = { ...{ num_heads: 4, head_dim: 6, state_size: 3, n_groups: 2 }, conv_kernel: 4 };

test("Mamba-2 with biases of its projections", async () => {
  const own = { H: 4, P: 6, N: 3, G: 2 };
  const config = {
    ...{ ...sizes, ...mamba2Fields, model_type: "mamba2", num_hidden_layers: 2, layer_norm_epsilon: 1e-4 },
    use_bias: true,
  };
  const w = randomWeights({
    "backbone.embeddings.weight": [V, C],
    ...layersOf(2, "backbone.layers", () => ({
      "norm.weight": [C],
      ...below("mixer", { ...mamba2Shapes(own, ["in", "out"]), "norm.weight": [24] }),
    })),
    ...{ "backbone.norm_f.weight": [C], "lm_head.weight": [V, C] },
  });
  let x = ids.map((id) => w.rows("backbone.embeddings.weight")[id]!);
  for (const path of ["backbone.layers.0", "backbone.layers.1"]) {
    const y = mamba2(w, `${path}.mixer`, norm(w, `${path}.norm`, x, 1e-4), own, 1e-4);
    x = plus(x, map(w, `${path}.mixer.out_proj`, y));
  }
  await expectWritten(config, w, map(w, "lm_head", norm(w, "backbone.norm_f", x, 1e-4)));
  const { "backbone.layers.1.mixer.in_proj.bias": _, ...without } = w.tensors;
  await expect(load(await writeCheckpoint(config, without))).rejects.toThrow(/layers.1.mixer.in_proj.bias/);
  const plain = { ...config, use_bias: false };
  await expect(load(await writeCheckpoint(plain, w.tensors))).rejects.toThrow(/in_proj.bias/);
});

test.each([
  [true, true],
  [true, false],
  [false, true],
])(
  "Falcon-H1 with multipliers; biases of the mixer's maps in and out: %s, %s",
  async (mamba_proj_bias, projectors_bias) => {
    const factors = [0.9, 1.1, 0.8, 1.2, 0.7];
    const own = { H: 4, P: 6, N: 3, G: 2, factors, read: 1.3 };
    const config = {
      ...{ ...sizes, ...ofAttention, model_type: "falcon_h1", num_hidden_layers: 2, rms_norm_eps: 1e-4 },
      ...{ mamba_n_heads: 4, mamba_d_head: 6, mamba_d_ssm: 24, mamba_d_state: 3, mamba_n_groups: 2 },
      ...{ mamba_proj_bias, projectors_bias, ssm_multipliers: factors, ssm_in_multiplier: 1.3 },
      ...{ ssm_out_multiplier: 0.6, rope_theta: 1000 },
    };
    const biases = [...(mamba_proj_bias ? ["in"] : []), ...(projectors_bias ? ["out"] : [])];
    const w = randomWeights({
      "model.embed_tokens.weight": [V, C],
      ...layersOf(2, "model.layers", () => ({
        ...{ "input_layernorm.weight": [C], "pre_ff_layernorm.weight": [C] },
        ...attentionShapes,
        ...below("mamba", mamba2Shapes(own, biases)),
        ...mlpShapes("feed_forward", F),
      })),
      ...{ "model.final_layernorm.weight": [C], "lm_head.weight": [V, C] },
    });
    const rotation = (head: Rows) => rotate(head, frequencies(1000, D));
    let x = ids.map((id) => w.rows("model.embed_tokens.weight")[id]!);
    for (const path of ["model.layers.0", "model.layers.1"]) {
      const y = norm(w, `${path}.input_layernorm`, x, 1e-4);
      const mixed = map(w, `${path}.mamba.out_proj`, mamba2(w, `${path}.mamba`, y, own));
      x = plus(x, plus(attention(w, path, y, rotation), scaled(mixed, 0.6)));
      x = plus(x, gatedMlp(w, `${path}.feed_forward`, norm(w, `${path}.pre_ff_layernorm`, x, 1e-4)));
    }
    await expectWritten(config, w, map(w, "lm_head", norm(w, "model.final_layernorm", x, 1e-4)));
  },
);

test("Bamba: Mamba-2, and attention in the listed layers, with half of each head rotated", async () => {
  const own = { H: 4, P: 8, N: 3, G: 1 };
  const config = {
    ...{ ...sizes, ...ofAttention, model_type: "bamba", num_hidden_layers: 3, rms_norm_eps: 1e-4 },
    ...{ mamba_n_heads: 4, mamba_d_head: "auto", mamba_expand: 2, mamba_d_state: 3, mamba_n_groups: 1 },
    ...{ mamba_proj_bias: true, attn_layer_indices: [1], rope_theta: 1000, z_loss_coefficient: 0.1 },
  };
  const w = randomWeights({
    "model.embed_tokens.weight": [V, C],
    ...layersOf(3, "model.layers", (i) => ({
      ...{ "input_layernorm.weight": [C], "pre_ff_layernorm.weight": [C] },
      ...(i === 1
        ? attentionShapes
        : below("mamba", { ...mamba2Shapes(own, ["in", "out"]), "norm.weight": [32] })),
      ...mlpShapes("feed_forward", F),
    })),
    ...{ "model.final_layernorm.weight": [C], "lm_head.weight": [V, C] },
  });
  const rotation = (head: Rows) => rotate(head, frequencies(1000, D / 2));
  let x = ids.map((id) => w.rows("model.embed_tokens.weight")[id]!);
  for (let i = 0; i < 3; i++) {
    const path = `model.layers.${i}`;
    const y = norm(w, `${path}.input_layernorm`, x, 1e-4);
    const mixed = () => map(w, `${path}.mamba.out_proj`, mamba2(w, `${path}.mamba`, y, own, 1e-4));
    x = plus(x, i === 1 ? attention(w, path, y, rotation) : mixed());
    x = plus(x, gatedMlp(w, `${path}.feed_forward`, norm(w, `${path}.pre_ff_layernorm`, x, 1e-4)));
  }
  await expectWritten(config, w, map(w, "lm_head", norm(w, "model.final_layernorm", x, 1e-4)));
  await expectTraits(config, w, [
    { partial_rotary_factor: 1 },
    { rms_norm_eps: 0.5 },
    { time_step_limit: [0, 0.1] },
  ]);
  const wrong = { ...config, attn_layer_indices: [3] };
  await expect(load(await writeCheckpoint(wrong, w.tensors))).rejects.toThrow(
    /config.json: attn_layer_indices`/,
  );
});

test("Falcon Mamba: time steps, B and C are normalized without weights", async () => {
  const own = { E: 24, N: 3, R: 2 };
  const config = {
    ...{ ...sizes, model_type: "falcon_mamba", num_hidden_layers: 2, layer_norm_epsilon: 1e-4 },
    ...{ intermediate_size: 24, state_size: 3, time_step_rank: 2, mixer_rms_eps: 1e-3 },
  };
  const w = randomWeights({
    "backbone.embeddings.weight": [V, C],
    ...layersOf(2, "backbone.layers", () => ({ "norm.weight": [C], ...below("mixer", mambaShapes(own)) })),
    ...{ "backbone.norm_f.weight": [C], "lm_head.weight": [V, C] },
  });
  const inner = (_: string, x: Rows) =>
    rms(
      x,
      x[0]!.map(() => 1),
      1e-3,
    );
  let x = ids.map((id) => w.rows("backbone.embeddings.weight")[id]!);
  for (const path of ["backbone.layers.0", "backbone.layers.1"])
    x = plus(x, mambaMixer(w, `${path}.mixer`, norm(w, `${path}.norm`, x, 1e-4), own, inner));
  await expectWritten(config, w, map(w, "lm_head", norm(w, "backbone.norm_f", x, 1e-4)));
  await expectTraits(config, w, [
    { mixer_rms_eps: 1 },
    { layer_norm_epsilon: 1 },
    { model_type: "mamba", mixer_rms_eps: undefined },
  ]);
});

test("Jamba: Mamba with norms inside, attention without positions, and experts in every second layer", async () => {
  const own = { E: 32, N: 3, R: 2 };
  const config = {
    ...{ ...sizes, ...ofAttention, model_type: "jamba", num_hidden_layers: 4, rms_norm_eps: 1e-4 },
    ...{ mamba_expand: 2, mamba_d_state: 3, mamba_dt_rank: 2, attn_layer_period: 3, attn_layer_offset: 1 },
    ...{ num_experts: 3, num_experts_per_tok: 2, expert_layer_period: 2, expert_layer_offset: 1 },
  };
  const w = randomWeights({
    "model.embed_tokens.weight": [V, C],
    ...layersOf(4, "model.layers", (i) => ({
      ...{ "input_layernorm.weight": [C], "pre_ff_layernorm.weight": [C] },
      ...(i === 1
        ? attentionShapes
        : below("mamba", {
            ...mambaShapes(own),
            ...{ "dt_layernorm.weight": [2], "b_layernorm.weight": [3], "c_layernorm.weight": [3] },
          })),
      ...(i % 2 === 0
        ? mlpShapes("feed_forward", F)
        : {
            "feed_forward.router.weight": [3, C],
            ...mlpsOf(3, "feed_forward.experts", F),
          }),
    })),
    ...{ "model.final_layernorm.weight": [C], "lm_head.weight": [V, C] },
  });
  const softmax = (logits: number[]) => {
    const all = logits.map(Math.exp);
    const total = all.reduce((a, b) => a + b);
    return all.map((one) => one / total);
  };
  let x = ids.map((id) => w.rows("model.embed_tokens.weight")[id]!);
  for (let i = 0; i < 4; i++) {
    const path = `model.layers.${i}`;
    const y = norm(w, `${path}.input_layernorm`, x, 1e-4);
    const inner = (name: string, z: Rows) => norm(w, `${path}.mamba.${name}_layernorm`, z, 1e-4);
    x = plus(
      x,
      i === 1 ? attention(w, path, y, (head) => head) : mambaMixer(w, `${path}.mamba`, y, own, inner),
    );
    const z = norm(w, `${path}.pre_ff_layernorm`, x, 1e-4);
    const at = `${path}.feed_forward`;
    const mixed = () =>
      experts(
        map(w, `${at}.router`, z),
        z,
        (e, row) => gatedMlp(w, `${at}.experts.${e}`, row),
        (logits) => {
          const scores = softmax(logits);
          return best(scores, 2).map((e) => [e, scores[e]!] as const);
        },
      );
    x = plus(x, i % 2 === 0 ? gatedMlp(w, at, z) : mixed());
  }
  await expectWritten(config, w, map(w, "lm_head", norm(w, "model.final_layernorm", x, 1e-4)));
  await expectTraits(config, w, [{ rms_norm_eps: 0.5 }, { num_experts_per_tok: 1 }]);
  const wrong = { ...config, attn_layer_offset: 3 };
  await expect(load(await writeCheckpoint(wrong, w.tensors))).rejects.toThrow(
    /config.json: attn_layer_offset`/,
  );
});

test("LFM2 MoE: sigmoid scores, a bias for the choice of experts, a dense first layer", async () => {
  const maps: MapNames = ["w1", "w3", "w2"];
  const config = {
    ...{
      ...sizes,
      ...ofAttention,
      model_type: "lfm2_moe",
      num_hidden_layers: 3,
      norm_eps: 1e-4,
      rope_theta: 1000,
    },
    ...{ conv_L_cache: 3, layer_types: ["conv", "full_attention", "conv"], num_dense_layers: 1 },
    ...{ num_experts: 4, num_experts_per_tok: 2, moe_intermediate_size: 6, routed_scaling_factor: 1.5 },
  };
  const w = randomWeights({
    "model.embed_tokens.weight": [V, C],
    ...layersOf(3, "model.layers", (i) => ({
      ...{ "operator_norm.weight": [C], "ffn_norm.weight": [C] },
      ...(i === 1
        ? {
            ...{ "self_attn.q_proj.weight": [C, C], "self_attn.k_proj.weight": [Hkv * D, C] },
            ...{ "self_attn.v_proj.weight": [Hkv * D, C], "self_attn.out_proj.weight": [C, C] },
            ...{ "self_attn.q_layernorm.weight": [D], "self_attn.k_layernorm.weight": [D] },
          }
        : {
            "conv.in_proj.weight": [3 * C, C],
            "conv.conv.weight": [C, 1, 3],
            "conv.out_proj.weight": [C, C],
          }),
      ...(i === 0
        ? mlpShapes("feed_forward", F, maps)
        : {
            ...{ "feed_forward.gate.weight": [4, C], "feed_forward.expert_bias": [4] },
            ...mlpsOf(4, "feed_forward.experts", 6, maps),
          }),
    })),
    ...{ "model.embedding_norm.weight": [C], "lm_head.weight": [V, C] },
  });
  let x = ids.map((id) => w.rows("model.embed_tokens.weight")[id]!);
  for (let i = 0; i < 3; i++) {
    const path = `model.layers.${i}`;
    const y = norm(w, `${path}.operator_norm`, x, 1e-4);
    const own = (head: Rows, name: string) =>
      rotate(norm(w, `${path}.self_attn.${name}_layernorm`, head, 1e-4), frequencies(1000, D));
    const convolution = () => {
      const [B, Q, v] = columns(map(w, `${path}.conv.in_proj`, y), C, C, C) as [Rows, Rows, Rows];
      const taps = w.rows(`${path}.conv.conv.weight`);
      const gated = times(B, v);
      const mixed = gated.map((row, t) =>
        row.map((_, c) => taps[c]!.reduce((sum, tap, n) => sum + tap * (gated[t - 2 + n]?.[c] ?? 0), 0)),
      );
      return map(w, `${path}.conv.out_proj`, times(Q, mixed));
    };
    x = plus(x, i === 1 ? attention(w, path, y, own, "out_proj") : convolution());
    const z = norm(w, `${path}.ffn_norm`, x, 1e-4);
    const at = `${path}.feed_forward`;
    const mixed = () =>
      experts(
        map(w, `${at}.gate`, z),
        z,
        (e, row) => gatedMlp(w, `${at}.experts.${e}`, row, maps),
        (logits) => {
          const scores = logits.map((l) => 1 / (1 + Math.exp(-l)));
          const bias = w.vector(`${at}.expert_bias`);
          const chosen = best(
            scores.map((s, e) => s + bias[e]!),
            2,
          );
          const total = chosen.reduce((sum, e) => sum + scores[e]!, 0);
          return chosen.map((e) => [e, (1.5 * scores[e]!) / (total + 1e-6)] as const);
        },
      );
    x = plus(x, i === 0 ? gatedMlp(w, at, z, maps) : mixed());
  }
  const model = await expectWritten(config, w, map(w, "lm_head", norm(w, "model.embedding_norm", x, 1e-4)));
  expect(model.config.experts!.router).toEqual({
    scores: "sigmoid",
    shareEps: 1e-6,
    choiceBias: true,
    scale: 1.5,
  });
  await expectTraits(config, w, [
    { norm_topk_prob: false },
    { routed_scaling_factor: 1 },
    { num_experts_per_tok: 1 },
    { norm_eps: 0.5 },
  ]);
});
