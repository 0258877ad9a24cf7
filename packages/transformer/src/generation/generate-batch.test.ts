import { pagedCache } from "@qkv/kv-cache";
import { llama2cTokenizer } from "@qkv/tokenizer";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { generateBatch, type GenerateBatchOptions } from "./generate-batch.js";
import { generate } from "./generate.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import { decoder } from "../models/decoder.js";
import type { Model } from "../models/model.js";

function makeModel(changes: Partial<DecoderConfig> = {}): Model {
  const { config, init, apply } = decoder({
    vocabSize: 11,
    embedDim: 8,
    hiddenDim: 12,
    numLayers: 2,
    numHeads: 2,
    numKvHeads: 1,
    contextLength: 24,
    normEps: 1e-5,
    stopIds: [],
    ...changes,
  });
  return { config, params: init(3), tokenizer: undefined, apply };
}

const model = makeModel();
const prompts = [[1, 2, 3], [4], [5, 6, 7, 8, 9], [1]];

async function batch(
  options: GenerateBatchOptions,
  from = model,
  given: readonly (string | number[])[] = prompts,
) {
  const rows = new Map<string, { ids: number[]; text: string; logprobs: number[] }>();
  for await (const { prompt, sample, id, text, logprob } of generateBatch(from, given, options)) {
    const row = rows.get(`${prompt}.${sample}`) ?? { ids: [], text: "", logprobs: [] };
    row.ids.push(id);
    row.text += text;
    row.logprobs.push(logprob);
    rows.set(`${prompt}.${sample}`, row);
  }
  return rows;
}

async function alone(
  prompt: string | readonly number[],
  options: Parameters<typeof generate>[2],
  from = model,
) {
  const ids: number[] = [];
  let text = "";
  const logprobs: number[] = [];
  for await (const one of generate(from, prompt, options)) {
    ids.push(one.id);
    text += one.text;
    logprobs.push(one.logprob);
  }
  return { ids, text, logprobs };
}

test.each([
  ["rotary", {}],
  ["learned", { positions: "learned" as const }],
  ["rotary, in a window", { layerTypes: ["sliding", "full"] as const, window: 4 }],
])(
  "prompts of different lengths go on as each does alone, and leave when they end: %s positions",
  async (_, changes) => {
    const own = makeModel(changes);
    const sampling = { temperature: 1.2, seed: 5 };
    const free = await alone(prompts[2]!, { maxTokens: 9, sampling }, own);
    const stop = [free.ids[4]!];
    const rows = await batch({ maxTokens: 9, sampling, stop }, own);
    for (const [i, prompt] of prompts.entries()) {
      const expected = await alone(prompt, { maxTokens: 9, sampling, stop }, own);
      const row = rows.get(`${i}.0`) ?? { ids: [], logprobs: [] };
      expect(row.ids).toEqual(expected.ids);
      expect(row.logprobs).toBeAllclose(expected.logprobs, { rtol: 0, atol: 5e-6 });
    }
  },
);

test("samples of a prompt share its reading: it is computed once", async () => {
  let computed = 0;
  const counted: Model = {
    ...model,
    apply(params, ids, options) {
      computed += "shape" in ids ? ids.shape[0]! * ids.shape[1]! : ids.length;
      return model.apply(params, ids, options);
    },
  };
  const sampling = { temperature: 1.2, seed: 40 };
  const rows = await batch({ samples: 3, maxTokens: 4, sampling }, counted, [[5, 6, 7, 8, 9, 1, 2, 3]]);
  expect(computed).toBe(8 + 3 * 3);
  for (let sample = 0; sample < 3; sample++) {
    const own = { ...sampling, seed: 40 + sample };
    expect(rows.get(`0.${sample}`)!.ids).toEqual(
      (await alone([5, 6, 7, 8, 9, 1, 2, 3], { maxTokens: 4, sampling: own })).ids,
    );
  }
  expect(new Set([...rows.values()].map(({ ids }) => String(ids))).size).toBeGreaterThan(1);
  const paged = await batch(
    { samples: 3, maxTokens: 4, sampling, cache: pagedCache({ numLayers: 2, pages: 64, pageLength: 4 }) },
    model,
    [[5, 6, 7, 8, 9, 1, 2, 3]],
  );
  expect([...paged.values()].map(({ ids }) => ids)).toEqual([...rows.values()].map(({ ids }) => ids));
});

test("each ends with its own context full", async () => {
  const rows = await batch({});
  expect(prompts.map((prompt, i) => rows.get(`${i}.0`)!.ids.length + prompt.length)).toEqual([
    25, 25, 25, 25,
  ]);
});

test("texts stop at texts, each by itself", async () => {
  const file: number[] = [6, 0, 0, 0];
  for (const token of ["<unk>", "<s>", "</s>", " ", ..."abcdefghijklmnopqrstuvwxyz"]) {
    file.push(0, 0, 0, 0, token.length, 0, 0, 0, ...new TextEncoder().encode(token));
  }
  const tokenizer = llama2cTokenizer(Uint8Array.from(file));
  const spoken = { ...makeModel({ vocabSize: tokenizer.vocabSize }), tokenizer };
  const sampling = { temperature: 3, seed: 2 };
  const free = await alone("ab", { maxTokens: 12, sampling }, spoken);
  const stop = [free.text.slice(3, 5)];
  const rows = await batch({ maxTokens: 12, sampling, stop }, spoken, ["ab", "zyx"]);
  expect(rows.get("0.0")!.text).toBe(free.text.slice(0, free.text.indexOf(stop[0]!)));
  for (const [i, prompt] of ["ab", "zyx"].entries()) {
    expect(rows.get(`${i}.0`)!.text).toBe(
      (await alone(prompt, { maxTokens: 12, sampling, stop }, spoken)).text,
    );
  }
});

test("nothing to continue gives nothing; an abort ends with its reason", async () => {
  expect((await batch({}, model, [])).size).toBe(0);
  expect((await batch({ maxTokens: 0 })).size).toBe(0);
  const reason = new Error("enough");
  await expect(batch({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  await expect(batch({ sampling: { topK: 0 } })).rejects.toThrow(/generateBatch: `topK` is 0/);
  await expect(batch({}, model, [[1], []])).rejects.toThrow(/`prompt` is "no tokens"/);
});
