/// <reference types="node" />
// The trained model of the reference data, compared to tokens and logits computed by llama2.c.
import { beforeAll, describe, expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { casesByTier } from "../../../scripts/tier.mjs";
import { referenceData } from "../../../conformance/reference-data.mjs";
import { generate } from "./generation/generate.js";
import { load } from "./load.js";
import type { Model } from "./models/model.js";

type Case = {
  prompt: string;
  prompt_tokens: number[];
  greedy_tokens: number[];
  text: string;
  logits: { positions: number; offset_floats: number };
};

const folder = "models/stories260K";
const cases: Case[] = referenceData.json(`${folder}/refs.json`).cases;

describe("stories260K", () => {
  let model: Model;
  beforeAll(async () => {
    const path = (name: string) => referenceData.path(`${folder}/${name}`);
    model = await load(path("stories260K.bin"), { tokenizer: path("tok512.bin") });
  });

  test("the reference data has ten prompts", () => {
    expect(cases.length).toBe(10);
  });

  test.each(casesByTier(cases, ({ prompt }) => prompt === "Lily and Tom"))(
    "greedy tokens equal those of llama2.c: $prompt",
    async (reference) => {
      const ids: number[] = [];
      let text = "";
      for await (const token of generate(model, reference.prompt, {
        maxTokens: reference.greedy_tokens.length,
      })) {
        ids.push(token.id);
        text += token.text;
      }
      expect(ids).toEqual(reference.greedy_tokens);
      expect(model.tokenizer!.encode(reference.prompt)).toEqual(reference.prompt_tokens);
      expect(reference.prompt + text).toBe(reference.text);
    },
  );

  test.each(cases)("logits equal those of llama2.c: $prompt", (reference) => {
    const { positions, offset_floats } = reference.logits;
    const file = referenceData.bytes(`${folder}/logits.f32`);
    const bytes = file.buffer.slice(
      file.byteOffset + 4 * offset_floats,
      file.byteOffset + 4 * (offset_floats + 512 * positions),
    );
    const expected = new Float32Array(bytes as ArrayBuffer);
    const ids = [...reference.prompt_tokens, ...reference.greedy_tokens].slice(0, positions);
    const { data } = model.apply(model.params, ids);
    expect(data).toBeAllclose(expected, { rtol: 0, atol: 1e-4 }); // float32 sums in another order
  });
});
