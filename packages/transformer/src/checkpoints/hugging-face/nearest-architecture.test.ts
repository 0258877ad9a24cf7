import { expect, test } from "vitest";
import type { Weights } from "../../loading/weights.js";
import { readCheckpoint } from "./read-checkpoint.js";

const file = { name: "config.json", fn: "load" };
const emptyWeights = {
  name: "weights",
  fn: "load",
  has: () => false,
  shape: () => undefined,
} as unknown as Weights;
const refusal = (config: object) =>
  readCheckpoint(config, file, emptyWeights).then(
    () => "",
    (error: unknown) => String(error),
  );

const llama = {
  vocab_size: 11,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  max_position_embeddings: 32,
  eos_token_id: 2,
  hidden_act: "silu",
  rope_theta: 10000,
};

test("the error for an unknown architecture names the nearest one and the fields that are unknown there", async () => {
  const granite = { ...llama, attention_multiplier: 0.5, residual_multiplier: 0.3, sandwich_norm: true };
  expect(await refusal({ ...granite, model_type: "granite9" })).toMatch(
    /"granite9", expected a known architecture: granite, .*lists all \d+\)\.\nFix: choose .* nearest to those of granite, which does not have sandwich_norm\.$/,
  );
  expect(await refusal({ vocab_size: 11, width: 8, model_type: "wide" })).toMatch(
    /nearest to those of \w+, where .*: `config.json: \w+` is undefined/,
  );
});

test("the error for an unknown architecture names the nearest names, their number and the command that lists them", async () => {
  const text = await refusal({ ...llama, model_type: "eurobert" });
  expect(text).toMatch(
    /expected a known architecture: bert, roberta, xlm-roberta, … \(`qkv checkpoints` lists all \d{3}\)\./,
  );
  expect(text.length).toBeLessThanOrEqual("FormatError: ".length + 600);
});

test("an excessive number of layers is refused before memory is allocated", async () => {
  const config = { ...llama, model_type: "smollm3", num_hidden_layers: 2 ** 40 };
  expect(await refusal(config)).toMatch(
    /config.json: num_hidden_layers` is 1099511627776, expected at most 10000 layers/,
  );
});
