import { test } from "vitest";
import { expectWritten, ids } from "./agree.js";
import { randomWeights, type RandomWeights } from "./random-checkpoint.js";
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

// Mixtures of experts without published references, compared with a float64 implementation in this file.

const [V, C, F, L, H, Hkv, D, E, shared] = [17, 16, 6, 2, 4, 2, 4, 5, 10];
const eps = 1e-6;
const sizes = {
  ...{ vocab_size: V, hidden_size: C, intermediate_size: F, num_hidden_layers: L, num_attention_heads: H },
  ...{ num_key_value_heads: Hkv, max_position_embeddings: 64, eos_token_id: 2, rms_norm_eps: eps },
  ...{ tie_word_embeddings: false, num_local_experts: E, num_experts_per_tok: 2 },
};

type Shapes = Record<string, number[]>;

/** Shapes of a model's tensors: the tensors of a layer repeat under each layer's path. */
const shapesOf = (layer: (i: number) => Shapes, tied: boolean): Shapes => {
  const own = (i: number) => ({
    ...{ "self_attn.q_proj.weight": [H * D, C], "self_attn.k_proj.weight": [Hkv * D, C] },
    ...{ "self_attn.v_proj.weight": [Hkv * D, C], "self_attn.o_proj.weight": [C, H * D] },
    ...{ "input_layernorm.weight": [C], "post_attention_layernorm.weight": [C], ...layer(i) },
  });
  const layers = Array.from({ length: L }, (_, i) =>
    Object.entries(own(i)).map(([name, shape]) => [`model.layers.${i}.${name}`, shape] as const),
  );
  return {
    ...{ "model.embed_tokens.weight": [V, C], "model.norm.weight": [C] },
    ...(!tied && { "lm_head.weight": [V, C] }),
    ...Object.fromEntries(layers.flat()),
  };
};

type Reference = {
  embeddingScale?: number;
  residualScale?: number;
  logitScale?: number;
  attentionScale?: number;
  radians: readonly number[];
  qkNorm?: boolean;
  /** The interleaved layout of rotary pairs. */
  interleaved?: boolean;
  feed(w: RandomWeights, path: string, x: Rows): Rows;
};

/** RoPE that rotates dimension 2i with 2i + 1. */
const rotatePairs = (head: Rows, radians: readonly number[]): Rows =>
  head.map((row, position) =>
    row.map((v, d) => {
      const angle = position * radians[Math.floor(d / 2)]!;
      const other = d % 2 === 0 ? -row[d + 1]! : row[d - 1]!;
      return v * Math.cos(angle) + other * Math.sin(angle);
    }),
  );

/** Logits of the ids. */
function logits(w: RandomWeights, reference: Reference): Rows {
  const { embeddingScale = 1, residualScale = 1, logitScale = 1, attentionScale = D ** -0.5 } = reference;
  const { radians, qkNorm = false, interleaved = false, feed } = reference;
  const table = w.rows("model.embed_tokens.weight");
  const add = (x: Rows, y: Rows) =>
    plus(
      x,
      each(y, (v) => v * residualScale),
    );
  let x = each(
    ids.map((id) => table[id]!),
    (v) => v * embeddingScale,
  );
  for (let i = 0; i < L; i++) {
    const path = `model.layers.${i}`;
    const y = rms(x, w.vector(`${path}.input_layernorm.weight`), eps);
    const map = (name: string) => linear(y, w.rows(`${path}.self_attn.${name}_proj.weight`));
    const normed = (name: string) =>
      qkNorm ? rms(map(name), w.vector(`${path}.self_attn.${name}_norm.weight`), eps) : map(name);
    const rotated = (name: string, count: number) =>
      heads(normed(name), count).map((one) => (interleaved ? rotatePairs : rotate)(one, radians));
    const mixed = attend(rotated("q", H), rotated("k", Hkv), heads(map("v"), Hkv), { scale: attentionScale });
    x = add(x, linear(mixed, w.rows(`${path}.self_attn.o_proj.weight`)));
    x = add(x, feed(w, path, rms(x, w.vector(`${path}.post_attention_layernorm.weight`), eps)));
  }
  const out = linear(
    rms(x, w.vector("model.norm.weight"), eps),
    w.has("lm_head.weight") ? w.rows("lm_head.weight") : table,
  );
  return each(out, (v) => v * logitScale);
}

const gatedBy = (x: Rows, gate: Rows, up: Rows, down: Rows): Rows =>
  linear(times(each(linear(x, gate), silu), linear(x, up)), down);

/** Each row's two experts with the highest `ranks`, weighted by their normalized `shares`. */
const mixture = (
  x: Rows,
  {
    ranks,
    share,
    expert,
  }: {
    ranks: (row: readonly number[]) => number[];
    share: (row: readonly number[], chosen: readonly number[]) => number[];
    expert: (e: number, row: Rows) => Rows;
  },
): Rows =>
  x.map((row) => {
    const ranked = ranks(row);
    const chosen = ranked
      .map((_, e) => e)
      .sort((a, b) => ranked[b]! - ranked[a]!)
      .slice(0, 2);
    const shares = share(row, chosen);
    return chosen.map((e, i) => each(expert(e, [row]), (v) => v * shares[i]!)).reduce(plus)[0]!;
  });

const sums = (parts: readonly number[]): number[] => {
  const total = parts.reduce((a, b) => a + b);
  return parts.map((part) => part / total);
};

/** Experts of Granite: softmax over the logits of the chosen experts; gate and up projection in one matrix. */
function graniteFeed(w: RandomWeights, path: string, x: Rows): Rows {
  const router = w.rows(`${path}.block_sparse_moe.router.layer.weight`);
  const input = w.rows(`${path}.block_sparse_moe.input_linear.weight`); // [E · 2F, C]
  const output = w.rows(`${path}.block_sparse_moe.output_linear.weight`); // [E · C, F]
  const scores = (row: readonly number[]) => router.map((own) => dot(own, row));
  const mixed = mixture(x, {
    ranks: scores,
    share: (row, chosen) => sums(chosen.map((e) => Math.exp(scores(row)[e]!))),
    expert: (e, row) =>
      gatedBy(
        row,
        input.slice(e * 2 * F, e * 2 * F + F),
        input.slice(e * 2 * F + F, (e + 1) * 2 * F),
        output.slice(e * C, (e + 1) * C),
      ),
  });
  if (!w.has(`${path}.shared_mlp.input_linear.weight`)) return mixed;
  const both = w.rows(`${path}.shared_mlp.input_linear.weight`);
  const down = w.rows(`${path}.shared_mlp.output_linear.weight`);
  return plus(mixed, gatedBy(x, both.slice(0, shared), both.slice(shared), down));
}

/** Experts of MiniMax M2: sigmoid scores; a bias affects the choice of experts, not their weights. */
function miniMaxFeed(w: RandomWeights, path: string, x: Rows): Rows {
  const at = `${path}.block_sparse_moe`;
  const bias = w.vector(`${at}.e_score_correction_bias`);
  const scores = (row: readonly number[]) =>
    w.rows(`${at}.gate.weight`).map((own) => 1 / (1 + Math.exp(-dot(own, row))));
  return mixture(x, {
    ranks: (row) => scores(row).map((score, e) => score + bias[e]!),
    share: (row, chosen) => sums(chosen.map((e) => scores(row)[e]!)),
    expert: (e, row) => {
      const map = (name: string) => w.rows(`${at}.experts.${e}.${name}.weight`);
      return gatedBy(row, map("w1"), map("w3"), map("w2"));
    },
  });
}

/** ERNIE 4.5: layer 0 is dense; softmax scores, a bias for the choice of experts, and a shared expert. */
function ernieFeed(w: RandomWeights, path: string, x: Rows): Rows {
  const maps = (at: string) =>
    ["gate", "up", "down"].map((name) => w.rows(`${path}.mlp.${at}${name}_proj.weight`));
  const gated = (at: string, rows: Rows) => gatedBy(rows, ...(maps(at) as [Rows, Rows, Rows]));
  if (!w.has(`${path}.mlp.gate.weight`)) return gated("", x);
  const bias = w.vector(`${path}.mlp.moe_statics.e_score_correction_bias`);
  const scores = (row: readonly number[]) =>
    sums(w.rows(`${path}.mlp.gate.weight`).map((own) => Math.exp(dot(own, row))));
  const mixed = mixture(x, {
    ranks: (row) => scores(row).map((score, e) => score + bias[e]!),
    share: (row, chosen) => sums(chosen.map((e) => scores(row)[e]!)),
    expert: (e, row) => gated(`experts.${e}.`, row),
  });
  return plus(mixed, gated("shared_experts.", x));
}

const gatedShapes = (at: string, width: number): Shapes => ({
  [`mlp.${at}gate_proj.weight`]: [width, C],
  [`mlp.${at}up_proj.weight`]: [width, C],
  [`mlp.${at}down_proj.weight`]: [C, width],
});
const ernieLayer = (i: number): Shapes =>
  i === 0
    ? gatedShapes("", F)
    : {
        ...{ "mlp.gate.weight": [E, C], "mlp.moe_statics.e_score_correction_bias": [1, E] },
        ...gatedShapes("shared_experts.", 2 * 8),
        ...Object.assign({}, ...Array.from({ length: E }, (_, e) => gatedShapes(`experts.${e}.`, 8))),
      };

const graniteLayer = {
  "block_sparse_moe.router.layer.weight": [E, C],
  "block_sparse_moe.input_linear.weight": [E, 2 * F, C],
  "block_sparse_moe.output_linear.weight": [E, C, F],
};
const graniteFields = {
  ...{ embedding_multiplier: 3, residual_multiplier: 0.5, logits_scaling: 4, attention_multiplier: 0.25 },
};
const graniteReference: Reference = {
  ...{ embeddingScale: 3, residualScale: 0.5, logitScale: 0.25, attentionScale: 0.25 },
  ...{ radians: frequencies(10000, D), feed: graniteFeed },
};

test.each<[string, Record<string, unknown>, Shapes | ((i: number) => Shapes), Reference]>([
  [
    "ernie4_5_moe",
    {
      ...{ moe_num_experts: E, moe_k: 2, moe_intermediate_size: 8, moe_num_shared_experts: 2 },
      ...{ moe_layer_start_index: 1, rope_theta: 500000, tie_word_embeddings: true },
      ...{ num_local_experts: null, num_experts_per_tok: null },
    },
    ernieLayer,
    { radians: frequencies(500000, D), interleaved: true, feed: ernieFeed },
  ],
  ["granitemoe", graniteFields, graniteLayer, graniteReference],
  [
    "granitemoeshared",
    { ...graniteFields, shared_intermediate_size: shared },
    {
      ...graniteLayer,
      "shared_mlp.input_linear.weight": [2 * shared, C],
      "shared_mlp.output_linear.weight": [C, shared],
    },
    graniteReference,
  ],
  [
    "minimax_m2",
    {
      rotary_dim: 2,
      rope_theta: 5000000,
      use_qk_norm: true,
      use_routing_bias: true,
      scoring_func: "sigmoid",
    },
    {
      ...{ "self_attn.q_norm.weight": [H * D], "self_attn.k_norm.weight": [Hkv * D] },
      ...{ "block_sparse_moe.gate.weight": [E, C], "block_sparse_moe.e_score_correction_bias": [E] },
      ...Object.fromEntries(
        Array.from({ length: E }, (_, e) => [
          [`block_sparse_moe.experts.${e}.w1.weight`, [F, C]],
          [`block_sparse_moe.experts.${e}.w2.weight`, [C, F]],
          [`block_sparse_moe.experts.${e}.w3.weight`, [F, C]],
        ]).flat() as [string, number[]][],
      ),
    },
    { radians: frequencies(5000000, 2), qkNorm: true, feed: miniMaxFeed },
  ],
])("%s agrees with its formulas, and is written back", async (type, fields, layer, reference) => {
  const tied = fields["tie_word_embeddings"] === true;
  const w = randomWeights(shapesOf(typeof layer === "function" ? layer : () => layer, tied));
  await expectWritten({ ...sizes, ...fields, model_type: type }, w, logits(w, reference));
});
