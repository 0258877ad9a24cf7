import { load } from "@qkv/transformer";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { expectAgreement, ids } from "./agree.js";
import { randomWeights, writeCheckpoint, type RandomWeights } from "./random-checkpoint.js";
import {
  attend,
  each,
  geluTanh,
  heads,
  layerNorm,
  linear,
  plus,
  transposed,
  type Rows,
} from "./reference.js";

const [V, C, L, H, D] = [17, 12, 2, 3, 4];
const sizes = {
  vocab_size: V,
  n_embd: C,
  n_layer: L,
  n_head: H,
  n_positions: 32,
  layer_norm_epsilon: 1e-5,
  eos_token_id: 16,
};

/** Shapes of a checkpoint's tensors. `qkv`: rows of the fused projection. `conv1d`: GPT-2's Conv1D, which stores `[in, out]`. */
function shapes(prefix: string, qkv: number, F: number, conv1d: boolean): Record<string, number[]> {
  const matrix = (out: number, inner: number) => (conv1d ? [inner, out] : [out, inner]);
  const all: Record<string, number[]> = { "wte.weight": [V, C], "wpe.weight": [32, C] };
  for (let i = 0; i < L; i++) {
    Object.assign(all, {
      [`h.${i}.ln_1.weight`]: [C],
      [`h.${i}.ln_1.bias`]: [C],
      [`h.${i}.attn.c_attn.weight`]: matrix(qkv, C),
      [`h.${i}.attn.c_attn.bias`]: [qkv],
      [`h.${i}.attn.c_proj.weight`]: matrix(C, C),
      [`h.${i}.attn.c_proj.bias`]: [C],
      [`h.${i}.ln_2.weight`]: [C],
      [`h.${i}.ln_2.bias`]: [C],
      [`h.${i}.mlp.c_fc.weight`]: matrix(F, C),
      [`h.${i}.mlp.c_fc.bias`]: [F],
      [`h.${i}.mlp.c_proj.weight`]: matrix(C, F),
      [`h.${i}.mlp.c_proj.bias`]: [C],
    });
  }
  Object.assign(all, { "ln_f.weight": [C], "ln_f.bias": [C] });
  return Object.fromEntries(Object.entries(all).map(([name, shape]) => [prefix + name, shape]));
}

/** Reference implementation of GPT-2. `split` splits rows of the fused projection into heads of queries, keys and values. */
function referenceGpt2(
  w: RandomWeights,
  prefix: string,
  conv1d: boolean,
  split: (fused: Rows) => [Rows[], Rows[], Rows[]],
): Rows {
  const norm = (name: string, x: Rows) =>
    layerNorm(x, w.vector(`${prefix}${name}.weight`), w.vector(`${prefix}${name}.bias`), 1e-5);
  const map = (name: string, x: Rows) => {
    const matrix = w.rows(`${prefix}${name}.weight`);
    return linear(x, conv1d ? transposed(matrix) : matrix, w.vector(`${prefix}${name}.bias`));
  };
  const table = w.rows(`${prefix}wte.weight`);
  let x = ids.map((id, t) => table[id]!.map((v, c) => v + w.rows(`${prefix}wpe.weight`)[t]![c]!));
  for (let i = 0; i < L; i++) {
    const [query, key, value] = split(map(`h.${i}.attn.c_attn`, norm(`h.${i}.ln_1`, x)));
    x = plus(x, map(`h.${i}.attn.c_proj`, attend(query, key, value, { scale: D ** -0.5 })));
    x = plus(x, map(`h.${i}.mlp.c_proj`, each(map(`h.${i}.mlp.c_fc`, norm(`h.${i}.ln_2`, x)), geluTanh)));
  }
  return linear(norm("ln_f", x), table);
}

const thirds = (fused: Rows): [Rows[], Rows[], Rows[]] => {
  const all = heads(fused, 3 * H);
  return [all.slice(0, H), all.slice(H, 2 * H), all.slice(2 * H)];
};

test.each([
  ["names without a prefix", "", {}],
  ["names with a prefix, two shards, float16", "transformer.", { shards: 2, dtype: "float16" as const }],
])("GPT-2: %s", async (_, prefix, storage) => {
  const more = { [`${prefix}h.0.attn.bias`]: [1, 1, 32, 32], [`${prefix}h.0.attn.masked_bias`]: [1] };
  const w = randomWeights({ ...shapes(prefix, 3 * C, 4 * C, true), ...more }, storage);
  const logits = referenceGpt2(w, prefix, true, thirds);
  const config = { ...sizes, model_type: "gpt2", activation_function: "gelu_new" };
  const model = await expectAgreement(await writeCheckpoint(config, w.tensors, storage), logits);
  expect(model.config).toMatchObject({
    hiddenDim: 48,
    contextLength: 32,
    stopIds: [16],
    positions: "learned",
  });
  const other = await load(
    await writeCheckpoint({ ...config, activation_function: "relu" }, w.tensors, storage),
  );
  expect(other.apply(other.params, ids).data).not.toBeAllclose(logits.flat(), { rtol: 0, atol: 1e-3 });
});

test("GPT-2 with an untied output projection and another feed-forward size", async () => {
  const w = randomWeights({ ...shapes("transformer.", 3 * C, 20, true), "lm_head.weight": [V, C] });
  const config = { ...sizes, model_type: "gpt2", n_inner: 20, tie_word_embeddings: false };
  const own = { ...w, rows: (name: string) => w.rows(name) };
  const logits = referenceGpt2(own, "transformer.", true, thirds);
  const folder = await writeCheckpoint(config, w.tensors);
  const model = await load(folder);
  const { data } = model.apply(model.params, ids);
  expect(data).not.toBeAllclose(logits.flat(), { rtol: 0, atol: 1e-2 }); // the logits of a tied embedding
  const tied = { ...w.tensors, "lm_head.weight": w.tensors["transformer.wte.weight"]! };
  await expectAgreement(await writeCheckpoint(config, tied), logits);
});

test("StarCoder (gpt_bigcode): one key-value head, matrices [out, in]", async () => {
  const w = randomWeights(shapes("transformer.", C + 2 * D, 4 * C, false));
  const logits = referenceGpt2(w, "transformer.", false, (fused) => {
    const all = heads(fused, H + 2);
    return [all.slice(0, H), all.slice(H, H + 1), all.slice(H + 1)];
  });
  const config = { ...sizes, model_type: "gpt_bigcode", multi_query: true };
  const model = await expectAgreement(await writeCheckpoint(config, w.tensors), logits);
  expect(model.config.numKvHeads).toBe(1);
});

test("gpt_bigcode with as many key-value heads as query heads fuses query, key and value head by head", async () => {
  const w = randomWeights(shapes("transformer.", 3 * C, 4 * C, false));
  const logits = referenceGpt2(w, "transformer.", false, (fused) => {
    const all = heads(fused, 3 * H);
    const everyThird = (n: number) => all.filter((_, i) => i % 3 === n);
    return [everyThird(0), everyThird(1), everyThird(2)];
  });
  const config = { ...sizes, model_type: "gpt_bigcode", multi_query: false };
  await expectAgreement(await writeCheckpoint(config, w.tensors), logits);
});
