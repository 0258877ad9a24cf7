import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { load } from "@qkv/transformer";
import { expectWritten, ids, logitTolerance } from "./agree.js";
import { randomWeights, writeCheckpoint, type RandomWeights } from "./random-checkpoint.js";
import {
  attend,
  dot,
  each,
  frequencies,
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

// Decoders that reuse parts of others, without published references, compared with float64 formulas in this file.

const [V, C, F, L, H, Hkv, D, E, X] = [17, 16, 20, 2, 4, 2, 4, 5, 6];
const eps = 1e-5;
const sizes = {
  ...{ vocab_size: V, hidden_size: C, intermediate_size: F, num_hidden_layers: L, num_attention_heads: H },
  ...{ num_key_value_heads: Hkv, head_dim: D, max_position_embeddings: 64, eos_token_id: 2 },
  ...{ rms_norm_eps: eps, tie_word_embeddings: false },
};

type Shapes = Record<string, number[]>;
type Layer = { w: RandomWeights; path: string; i: number };

/** A decoder: the normalized input of an attention or feed-forward part, and the update from its output. */
type Formulas = {
  embed?(x: Rows): Rows;
  before(at: Layer, part: "attention" | "feed", x: Rows): Rows;
  after?(at: Layer, part: "attention" | "feed", x: Rows): Rows;
  attention(at: Layer, x: Rows): Rows;
  feed(at: Layer, x: Rows): Rows;
  last(w: RandomWeights, x: Rows): Rows;
  cap?: number;
};

function logits(w: RandomWeights, formulas: Formulas): Rows {
  const { embed = (x) => x, before, after = (_at, _part, x) => x, attention, feed, last, cap } = formulas;
  const table = w.rows("model.embed_tokens.weight");
  let x = embed(ids.map((id) => table[id]!));
  for (let i = 0; i < L; i++) {
    const at = { w, path: `model.layers.${i}`, i };
    x = plus(x, after(at, "attention", attention(at, before(at, "attention", x))));
    x = plus(x, after(at, "feed", feed(at, before(at, "feed", x))));
  }
  const out = linear(last(w, x), w.has("lm_head.weight") ? w.rows("lm_head.weight") : table);
  return cap === undefined ? out : each(out, (v) => cap * Math.tanh(v / cap));
}

const gained = ({ w, path }: Layer, name: string, x: Rows): Rows =>
  rms(x, w.vector(`${path}.${name}.weight`), eps);
const plainRms = (x: Rows): Rows => rms(x, new Array<number>(x[0]!.length).fill(1), eps);
const lastRms = (w: RandomWeights, x: Rows): Rows => rms(x, w.vector("model.norm.weight"), eps);
const preNorms: Formulas["before"] = (at, part, x) =>
  gained(at, part === "attention" ? "input_layernorm" : "post_attention_layernorm", x);
const outNorms: Formulas["before"] = (at, part, x) =>
  gained(at, part === "attention" ? "post_attention_layernorm" : "post_feedforward_layernorm", x);

type Heads = {
  base?: number;
  rotates?(i: number): boolean;
  /** Rotation in the opposite direction. */
  reversed?: boolean;
  window?(i: number): number | undefined;
  /** QK-norm: of each head before or after the rotation, or of all heads together before it. */
  norms?: { of: "head" | "all"; place: "before" | "after"; names?: readonly [string, string] };
  temperature?(position: number): number;
  gate?: string;
  bias?: boolean;
};

/** Grouped-query attention. */
const grouped =
  ({
    base = 10000,
    rotates = () => true,
    reversed = false,
    window,
    norms,
    temperature,
    gate,
    bias,
  }: Heads = {}) =>
  ({ w, path, i }: Layer, x: Rows): Rows => {
    const at = `${path}.self_attn`;
    const map = (name: string, y = x) =>
      linear(y, w.rows(`${at}.${name}.weight`), bias ? w.vector(`${at}.${name}.bias`) : undefined);
    const radians = frequencies(base, D).map((one) => (reversed ? -one : one));
    const parts = (name: "q" | "k", count: number): Rows[] => {
      const own = norms?.names?.[name === "q" ? 0 : 1] ?? `${name}_norm`;
      const normed = (rows: Rows) =>
        own === "" ? plainRms(rows) : rms(rows, w.vector(`${at}.${own}.weight`), eps);
      const rows = map(`${name}_proj`);
      const split = heads(norms?.of === "all" ? normed(rows) : rows, count);
      const here = (place: string) => norms?.of === "head" && norms.place === place;
      return split.map((one) => {
        const before = here("before") ? normed(one) : one;
        const rotated = rotates(i) ? rotate(before, radians) : before;
        return here("after") ? normed(rotated) : rotated;
      });
    };
    const queries = parts("q", H).map((head) =>
      head.map((row, position) => row.map((v) => v * (temperature?.(position) ?? 1))),
    );
    const size = window?.(i);
    const mixed = attend(queries, parts("k", Hkv), heads(map("v_proj"), Hkv), {
      scale: D ** -0.5,
      ...(size !== undefined && { sees: within(size) }),
    });
    const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
    return map("o_proj", gate === undefined ? mixed : times(mixed, each(map(gate), sigmoid)));
  };

const gatedFeed = ({ w }: Layer, at: string, x: Rows): Rows => {
  const map = (name: string) => w.rows(`${at}.${name}_proj.weight`);
  return linear(times(each(linear(x, map("gate")), silu), linear(x, map("up"))), map("down"));
};
const squaredRelu = (v: number): number => Math.max(0, v) ** 2;

type Mixture = {
  router?: string;
  scores?: "softmax" | "sigmoid";
  bias?: string;
  normalized?: boolean;
  scale?: number;
  shared?: string;
};

/** Two experts for each row, and a shared one; layers without a router have a dense feed-forward part. */
const mixture =
  ({ router = "gate", scores = "softmax", bias, normalized = true, scale = 1, shared }: Mixture) =>
  (at: Layer, x: Rows): Rows => {
    const { w, path } = at;
    if (!w.has(`${path}.mlp.${router}.weight`)) return gatedFeed(at, `${path}.mlp`, x);
    const matrix = w.rows(`${path}.mlp.${router}.weight`);
    const extra = bias === undefined ? new Array<number>(E).fill(0) : w.vector(`${path}.mlp.${bias}`);
    const mixed = x.map((row) => {
      const raw = matrix.map((own) => dot(own, row));
      const exps = raw.map(Math.exp);
      const total = exps.reduce((a, b) => a + b);
      const all =
        scores === "softmax" ? exps.map((one) => one / total) : raw.map((v) => 1 / (1 + Math.exp(-v)));
      const rank = (e: number) => all[e]! + extra[e]!;
      const chosen = all
        .map((_, e) => e)
        .sort((a, b) => rank(b) - rank(a))
        .slice(0, 2);
      const sum = normalized ? chosen.reduce((s, e) => s + all[e]!, 0) : 1;
      const share = (e: number) => (scale * all[e]!) / sum;
      return chosen
        .map((e) => each(gatedFeed(at, `${path}.mlp.experts.${e}`, [row]), (v) => v * share(e)))
        .reduce(plus)[0]!;
    });
    return shared === undefined ? mixed : plus(mixed, gatedFeed(at, `${path}.mlp.${shared}`, x));
  };

const feedShapes = (at: string, width: number): Shapes => ({
  [`${at}.gate_proj.weight`]: [width, C],
  [`${at}.up_proj.weight`]: [width, C],
  [`${at}.down_proj.weight`]: [C, width],
});
const expertShapes = ({
  width = X,
  router = "gate",
  bias,
  shared,
}: { width?: number; router?: string; bias?: string; shared?: string } = {}): Shapes => ({
  [`mlp.${router}.weight`]: [E, C],
  ...(bias && { [`mlp.${bias}`]: [E] }),
  ...(shared && feedShapes(`mlp.${shared}`, width)),
  ...Object.assign({}, ...Array.from({ length: E }, (_, e) => feedShapes(`mlp.experts.${e}`, width))),
});
const attentionShapes: Shapes = {
  ...{ "self_attn.q_proj.weight": [H * D, C], "self_attn.k_proj.weight": [Hkv * D, C] },
  ...{ "self_attn.v_proj.weight": [Hkv * D, C], "self_attn.o_proj.weight": [C, H * D] },
};
const gains = (...names: string[]): Shapes =>
  Object.fromEntries(names.map((name) => [`${name}.weight`, [C]]));
const headGains = (query: string, key: string, of = [D, D]): Shapes => ({
  [`self_attn.${query}.weight`]: [of[0]!],
  [`self_attn.${key}.weight`]: [of[1]!],
});
const [beforeBoth, behindBoth] = [
  gains("input_layernorm", "post_attention_layernorm"),
  gains("post_attention_layernorm", "post_feedforward_layernorm"),
];

type Case = {
  fields: Record<string, unknown>;
  layer(i: number): Shapes;
  around?: Shapes;
  formulas: Formulas;
  /** Exported as another architecture with the same computation. */
  written?: string;
};

/** The first layer has a window, the second full attention without positions. */
const slidesFirst = { rotates: (i: number) => i === 0, window: (i: number) => (i === 0 ? 5 : undefined) };
const sliding = { sliding_window: 5, layer_types: ["sliding_attention", "full_attention"] };
const routed = { num_experts_per_tok: 2, moe_intermediate_size: X };

const cases: Record<string, Case> = {
  afmoe: {
    fields: {
      ...{ ...sliding, ...routed, mup_enabled: true, num_experts: E, num_shared_experts: 1 },
      ...{ num_dense_layers: 1, route_scale: 1.5, score_func: "sigmoid" },
    },
    layer: (i) => ({
      ...{ ...attentionShapes, ...beforeBoth, ...gains("pre_mlp_layernorm", "post_mlp_layernorm") },
      ...{ ...headGains("q_norm", "k_norm"), "self_attn.gate_proj.weight": [H * D, C] },
      ...(i === 0
        ? feedShapes("mlp", F)
        : expertShapes({ router: "router.gate", bias: "expert_bias", shared: "shared_experts" })),
    }),
    formulas: {
      embed: (x) => each(x, (v) => v * Math.sqrt(C)),
      before: (at, part, x) => gained(at, part === "attention" ? "input_layernorm" : "pre_mlp_layernorm", x),
      after: (at, part, x) =>
        gained(at, part === "attention" ? "post_attention_layernorm" : "post_mlp_layernorm", x),
      attention: grouped({ ...slidesFirst, norms: { of: "head", place: "before" }, gate: "gate_proj" }),
      feed: mixture({
        ...{ router: "router.gate", scores: "sigmoid", bias: "expert_bias", scale: 1.5 },
        shared: "shared_experts",
      }),
      last: lastRms,
    },
  },
  exaone_moe: {
    fields: {
      ...{ ...sliding, ...routed, num_experts: E, num_shared_experts: 1, first_k_dense_replace: 1 },
      ...{ routed_scaling_factor: 2.5, n_group: 1, topk_group: 1, mlp_layer_types: ["dense", "sparse"] },
    },
    layer: (i) => ({
      ...{ ...attentionShapes, ...beforeBoth, ...headGains("q_norm", "k_norm") },
      ...(i === 0
        ? feedShapes("mlp", F)
        : expertShapes({ bias: "gate.e_score_correction_bias", shared: "shared_experts" })),
    }),
    formulas: {
      before: preNorms,
      attention: grouped({ ...slidesFirst, norms: { of: "head", place: "before" } }),
      feed: mixture({
        ...{ scores: "sigmoid", bias: "gate.e_score_correction_bias", scale: 2.5 },
        shared: "shared_experts",
      }),
      last: lastRms,
    },
  },
  flex_olmo: {
    fields: { num_experts: E, num_experts_per_tok: 2, norm_topk_prob: false, rope_theta: 500000 },
    layer: () => ({
      ...{ ...attentionShapes, ...behindBoth, ...headGains("q_norm", "k_norm", [H * D, Hkv * D]) },
      ...expertShapes({ width: F }),
    }),
    formulas: {
      before: (_at, _part, x) => x,
      after: outNorms,
      attention: grouped({ base: 500000, norms: { of: "all", place: "before" } }),
      feed: mixture({ normalized: false }),
      last: lastRms,
    },
  },
  hunyuan_v1_moe: {
    fields: {
      ...{ num_experts: E, moe_topk: [2, 2], num_shared_expert: [1, 1], moe_intermediate_size: [F, F] },
      ...{ use_mixed_mlp_moe: true, moe_drop_tokens: false, use_qk_norm: true },
    },
    layer: () => ({
      ...{ ...attentionShapes, ...beforeBoth, ...headGains("query_layernorm", "key_layernorm") },
      ...expertShapes({ width: F, router: "gate.wg", shared: "shared_mlp" }),
    }),
    formulas: {
      before: preNorms,
      attention: grouped({
        norms: { of: "head", place: "after", names: ["query_layernorm", "key_layernorm"] },
      }),
      feed: mixture({ router: "gate.wg", shared: "shared_mlp" }),
      last: lastRms,
    },
  },
  jais2: {
    fields: { layer_norm_eps: eps, attention_bias: true, mlp_bias: true, rope_theta: 500000 },
    layer: () => ({
      ...{ ...attentionShapes, ...beforeBoth, "mlp.up_proj.weight": [F, C], "mlp.down_proj.weight": [C, F] },
      ...{ "self_attn.q_proj.bias": [H * D], "self_attn.k_proj.bias": [Hkv * D] },
      ...{ "self_attn.v_proj.bias": [Hkv * D], "self_attn.o_proj.bias": [C] },
      ...{ "mlp.up_proj.bias": [F], "mlp.down_proj.bias": [C] },
      ...{ "input_layernorm.bias": [C], "post_attention_layernorm.bias": [C] },
    }),
    around: { "model.norm.bias": [C] },
    formulas: {
      before({ w, path }, part, x) {
        const at = `${path}.${part === "attention" ? "input" : "post_attention"}_layernorm`;
        return layerNorm(x, w.vector(`${at}.weight`), w.vector(`${at}.bias`), eps);
      },
      attention: grouped({ base: 500000, bias: true }),
      feed({ w, path }, x) {
        const map = (name: string, y: Rows) =>
          linear(y, w.rows(`${path}.mlp.${name}.weight`), w.vector(`${path}.mlp.${name}.bias`));
        return map("down_proj", each(map("up_proj", x), squaredRelu));
      },
      last: (w, x) => layerNorm(x, w.vector("model.norm.weight"), w.vector("model.norm.bias"), eps),
    },
    written: "nemotron", // the first architecture with the same configuration
  },
  ministral: {
    fields: sliding,
    layer: () => ({ ...attentionShapes, ...beforeBoth, ...feedShapes("mlp", F) }),
    formulas: {
      before: preNorms,
      attention: grouped({ window: slidesFirst.window }),
      feed: (at, x) => gatedFeed(at, `${at.path}.mlp`, x),
      last: lastRms,
    },
    written: "cwm", // the first architecture with the same configuration
  },
  ministral3: {
    fields: {
      rope_parameters: {
        ...{ rope_type: "default", type: "default", rope_theta: 1e6, llama_4_scaling_beta: 0.4 },
        ...{ original_max_position_embeddings: 4, max_position_embeddings: 64 },
      },
    },
    layer: () => ({ ...attentionShapes, ...beforeBoth, ...feedShapes("mlp", F) }),
    formulas: {
      before: preNorms,
      attention: grouped({ base: 1e6, temperature: (p) => 1 + 0.4 * Math.log(1 + Math.floor(p / 4)) }),
      feed: (at, x) => gatedFeed(at, `${at.path}.mlp`, x),
      last: lastRms,
    },
  },
  nanochat: {
    fields: { hidden_act: "relu2", final_logit_softcapping: 3 },
    layer: () => ({ ...attentionShapes, "mlp.fc1.weight": [F, C], "mlp.fc2.weight": [C, F] }),
    formulas: {
      embed: plainRms,
      before: (_at, _part, x) => plainRms(x),
      attention: grouped({ reversed: true, norms: { of: "head", place: "after", names: ["", ""] } }),
      feed: ({ w, path }, x) =>
        linear(
          each(linear(x, w.rows(`${path}.mlp.fc1.weight`)), squaredRelu),
          w.rows(`${path}.mlp.fc2.weight`),
        ),
      last: (_w, x) => plainRms(x),
      cap: 3,
    },
  },
  solar_open: {
    fields: {
      ...{
        ...routed,
        n_routed_experts: E,
        n_shared_experts: 1,
        norm_topk_prob: true,
        n_group: 1,
        topk_group: 1,
      },
      ...{ routed_scaling_factor: 1.5, intermediate_size: null, rope_theta: 1e6, partial_rotary_factor: 1 },
    },
    layer: () => ({
      ...{ ...attentionShapes, ...beforeBoth },
      ...expertShapes({ bias: "gate.e_score_correction_bias", shared: "shared_experts" }),
    }),
    formulas: {
      before: preNorms,
      attention: grouped({ base: 1e6 }),
      feed: mixture({
        ...{ scores: "sigmoid", bias: "gate.e_score_correction_bias", scale: 1.5 },
        shared: "shared_experts",
      }),
      last: lastRms,
    },
  },
};

const shapesOf = ({ layer, around = {} }: Case): Shapes => ({
  "model.embed_tokens.weight": [V, C],
  "lm_head.weight": [V, C],
  ...Object.fromEntries(
    Array.from({ length: L }, (_, i) =>
      Object.entries(layer(i)).map(([name, shape]) => [`model.layers.${i}.${name}`, shape] as const),
    ).flat(),
  ),
  ...around,
});

test.each(Object.entries(cases))("%s agrees with its formulas, and is written back", async (type, one) => {
  const plain = type === "nanochat";
  const w = randomWeights({ ...shapesOf(one), ...(!plain && { "model.norm.weight": [C] }) });
  const fields = { ...sizes, ...one.fields, model_type: type };
  await expectWritten(fields, w, logits(w, one.formulas), one.written ?? type);
});

test.each(["afmoe", "exaone_moe", "flex_olmo", "solar_open"])(
  "%s: experts in two tensors are those one by one",
  async (type) => {
    const one = cases[type]!;
    const w = randomWeights({ ...shapesOf(one), "model.norm.weight": [C] });
    const width = w.has("model.layers.1.mlp.experts.0.gate_proj.weight")
      ? w.rows("model.layers.1.mlp.experts.0.gate_proj.weight").length
      : 0;
    const { randn } = await import("@qkv/tensor");
    const stackOf = (path: string, maps: readonly string[], rows: number, inner: number) => {
      const x = randn([E, rows, inner], { seed: 1 });
      const flat = Array.from({ length: E }, (_, e) =>
        maps.flatMap((map) => w.rows(`${path}.${e}.${map}.weight`).flat()),
      ).flat();
      x.data.set(flat);
      return x;
    };
    const others = Object.entries(w.tensors).filter(([name]) => !/\.experts\./.test(name));
    const paths = Array.from({ length: L }, (_, i) => `model.layers.${i}.mlp.experts`).filter((path) =>
      w.has(`${path}.0.gate_proj.weight`),
    );
    const tensors = Object.fromEntries([
      ...others,
      ...paths.flatMap((path) => [
        [`${path}.gate_up_proj`, stackOf(path, ["gate_proj", "up_proj"], 2 * width, C)] as const,
        [`${path}.down_proj`, stackOf(path, ["down_proj"], C, width)] as const,
      ]),
    ]);
    const folder = await writeCheckpoint({ ...sizes, ...one.fields, model_type: type }, tensors);
    const model = await load(folder);
    expect(model.apply(model.params, ids).data).toBeAllclose(logits(w, one.formulas).flat(), logitTolerance);
  },
);
