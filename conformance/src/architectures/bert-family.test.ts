import { padding } from "@qkv/attention";
import { tensor } from "@qkv/tensor";
import { loadEncoder } from "@qkv/transformer";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { devices, ids, logitTolerance } from "./agree.js";
import { randomWeights, writeCheckpoint, type RandomWeights } from "./random-checkpoint.js";
import { attend, each, gelu, heads, layerNorm, linear, plus, type Rows } from "./reference.js";

const [V, C, F, L, H] = [17, 12, 20, 2, 3];
const sizes = {
  vocab_size: V,
  hidden_size: C,
  intermediate_size: F,
  num_hidden_layers: L,
  num_attention_heads: H,
  layer_norm_eps: 1e-12,
  hidden_act: "gelu",
};

function shapes(prefix: string, positions: number, types: number): Record<string, number[]> {
  const all: Record<string, number[]> = {
    "embeddings.word_embeddings.weight": [V, C],
    "embeddings.position_embeddings.weight": [positions, C],
    "embeddings.token_type_embeddings.weight": [types, C],
    "embeddings.LayerNorm.weight": [C],
    "embeddings.LayerNorm.bias": [C],
  };
  for (let i = 0; i < L; i++) {
    const maps: [string, number, number][] = [
      ["attention.self.query", C, C],
      ["attention.self.key", C, C],
      ["attention.self.value", C, C],
      ["attention.output.dense", C, C],
      ["intermediate.dense", F, C],
      ["output.dense", C, F],
    ];
    for (const [name, out, inner] of maps) {
      all[`encoder.layer.${i}.${name}.weight`] = [out, inner];
      all[`encoder.layer.${i}.${name}.bias`] = [out];
    }
    for (const name of ["attention.output.LayerNorm", "output.LayerNorm"]) {
      all[`encoder.layer.${i}.${name}.weight`] = [C];
      all[`encoder.layer.${i}.${name}.bias`] = [C];
    }
  }
  return Object.fromEntries(Object.entries(all).map(([name, shape]) => [prefix + name, shape]));
}

/** Reference implementation of BERT. Positions begin at `first`; keys from `length` on are padding. */
function referenceBert(
  w: RandomWeights,
  prefix: string,
  { first = 0, types = ids.map(() => 0), length = ids.length },
): Rows {
  const norm = (name: string, x: Rows) =>
    layerNorm(x, w.vector(`${prefix}${name}.weight`), w.vector(`${prefix}${name}.bias`), 1e-12);
  const map = (name: string, x: Rows) =>
    linear(x, w.rows(`${prefix}${name}.weight`), w.vector(`${prefix}${name}.bias`));
  const row = (table: string, n: number) => w.rows(`${prefix}embeddings.${table}_embeddings.weight`)[n]!;
  const sum = ids.map((id, t) =>
    row("word", id).map((v, c) => v + row("position", t + first)[c]! + row("token_type", types[t]!)[c]!),
  );
  let x = norm("embeddings.LayerNorm", sum);
  for (let i = 0; i < L; i++) {
    const at = `encoder.layer.${i}`;
    const [query, key, value] = ["query", "key", "value"].map((name) =>
      heads(map(`${at}.attention.self.${name}`, x), H),
    ) as [Rows[], Rows[], Rows[]];
    const mixed = attend(query, key, value, { scale: (C / H) ** -0.5, sees: (_, s) => s < length });
    x = norm(`${at}.attention.output.LayerNorm`, plus(x, map(`${at}.attention.output.dense`, mixed)));
    x = norm(
      `${at}.output.LayerNorm`,
      plus(x, map(`${at}.output.dense`, each(map(`${at}.intermediate.dense`, x), gelu))),
    );
  }
  return x;
}

test.each([
  ["as bert-base is stored", "bert.", true],
  ["without a path and a head", "", false],
])("BERT: %s", async (_, prefix, head) => {
  const more: Record<string, number[]> = head
    ? {
        "cls.predictions.transform.dense.weight": [C, C],
        "cls.predictions.transform.dense.bias": [C],
        "cls.predictions.transform.LayerNorm.weight": [C],
        "cls.predictions.transform.LayerNorm.bias": [C],
        "cls.predictions.bias": [V],
        "bert.pooler.dense.weight": [C, C],
      }
    : {};
  const w = randomWeights({ ...shapes(prefix, 32, 2), ...more });
  const config = { ...sizes, model_type: "bert", max_position_embeddings: 32, type_vocab_size: 2 };
  const folder = await writeCheckpoint(config, w.tensors, { shards: head ? 2 : 1 });
  const types = ids.map((_, t) => Number(t > 6));
  const rows = referenceBert(w, prefix, { types });
  for (const device of await devices()) {
    const model = await loadEncoder(folder, { device });
    const typed = { types: tensor([types], { dtype: "int32", device }) };
    const ours = model.apply(model.params, ids, typed);
    expect(ours.data).toBeAllclose(rows.flat(), { rtol: 0, atol: 1e-5 });
    const padded = model.apply(model.params, ids, { mask: padding([9]) });
    expect(padded.data).toBeAllclose(referenceBert(w, prefix, { length: 9 }).flat(), { rtol: 0, atol: 1e-5 });
    if (!head) {
      expect(() => model.maskedTokenLogits(model.params, ours)).toThrow(
        /`params.maskedTokenHead` is undefined/,
      );
      continue;
    }
    const bent = each(
      linear(
        rows,
        w.rows("cls.predictions.transform.dense.weight"),
        w.vector("cls.predictions.transform.dense.bias"),
      ),
      gelu,
    );
    const normed = layerNorm(
      bent,
      w.vector("cls.predictions.transform.LayerNorm.weight"),
      w.vector("cls.predictions.transform.LayerNorm.bias"),
      1e-12,
    );
    const logits = linear(
      normed,
      w.rows("bert.embeddings.word_embeddings.weight"),
      w.vector("cls.predictions.bias"),
    );
    expect(model.maskedTokenLogits(model.params, ours).data).toBeAllclose(logits.flat(), logitTolerance);
  }
});

test("the first published BERT names the weights and biases of norms gamma and beta", async () => {
  const w = randomWeights(shapes("bert.", 32, 2));
  const config = { ...sizes, model_type: "bert", max_position_embeddings: 32, type_vocab_size: 2 };
  const older = Object.fromEntries(
    Object.entries(w.tensors).map(([name, x]) => [
      name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"),
      x,
    ]),
  );
  const model = await loadEncoder(await writeCheckpoint(config, older));
  expect(model.apply(model.params, ids).data).toBeAllclose(referenceBert(w, "bert.", {}).flat(), {
    rtol: 0,
    atol: 1e-5,
  });
});

test("RoBERTa: positions begin after the padding token's position", async () => {
  const w = randomWeights({
    ...shapes("roberta.", 34, 1),
    "lm_head.dense.weight": [C, C],
    "lm_head.dense.bias": [C],
    "lm_head.layer_norm.weight": [C],
    "lm_head.layer_norm.bias": [C],
    "lm_head.bias": [V],
  });
  const config = {
    ...sizes,
    model_type: "roberta",
    max_position_embeddings: 34,
    type_vocab_size: 1,
    pad_token_id: 1,
  };
  const folder = await writeCheckpoint(config, w.tensors);
  for (const device of await devices()) {
    const model = await loadEncoder(folder, { device });
    expect(model.config.contextLength).toBe(32);
    const rows = referenceBert(w, "roberta.", { first: 2 });
    expect(model.apply(model.params, ids).data).toBeAllclose(rows.flat(), { rtol: 0, atol: 1e-5 });
    const bent = each(linear(rows, w.rows("lm_head.dense.weight"), w.vector("lm_head.dense.bias")), gelu);
    const normed = layerNorm(
      bent,
      w.vector("lm_head.layer_norm.weight"),
      w.vector("lm_head.layer_norm.bias"),
      1e-12,
    );
    const logits = linear(
      normed,
      w.rows("roberta.embeddings.word_embeddings.weight"),
      w.vector("lm_head.bias"),
    );
    expect(model.maskedTokenLogits(model.params, model.apply(model.params, ids)).data).toBeAllclose(
      logits.flat(),
      logitTolerance,
    );
  }
});
