import { pagedCache } from "@qkv/kv-cache";
import { llama2cTokenizer } from "@qkv/tokenizer";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { generateBatch, type GenerateBatchOptions, type GenerateBatchSummary } from "./generate-batch.js";
import { generate } from "./generate.js";
import { noRepeatNgram } from "./processors/no-repeat-ngram.js";
import { minNewTokens } from "./processors/min-length.js";
import { repetitionPenalty } from "./processors/repetition-penalty.js";
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
  for await (const token of generate(from, prompt, options)) {
    ids.push(token.id);
    text += token.text;
    logprobs.push(token.logprob);
  }
  return { ids, text, logprobs };
}

test.each([
  ["rotary", {}],
  ["learned", { positions: "learned" as const }],
  ["rotary, sliding-window", { layerTypes: ["sliding", "full"] as const, window: 4 }],
])(
  "prompts of different lengths give the tokens of each alone, and end independently: %s positions",
  async (_, changes) => {
    const model = makeModel(changes);
    const sampling = { temperature: 1.2, seed: 5 };
    const free = await alone(prompts[2]!, { maxTokens: 9, sampling }, model);
    const stop = [free.ids[4]!];
    const rows = await batch({ maxTokens: 9, sampling, stop }, model);
    for (const [i, prompt] of prompts.entries()) {
      const expected = await alone(prompt, { maxTokens: 9, sampling, stop }, model);
      const row = rows.get(`${i}.0`) ?? { ids: [], logprobs: [] };
      expect(row.ids).toEqual(expected.ids);
      expect(row.logprobs).toBeAllclose(expected.logprobs, { rtol: 0, atol: 5e-6 });
    }
  },
);

test("samples of a prompt share one prefill", async () => {
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
    const singleSampling = { ...sampling, seed: 40 + sample };
    expect(rows.get(`0.${sample}`)!.ids).toEqual(
      (await alone([5, 6, 7, 8, 9, 1, 2, 3], { maxTokens: 4, sampling: singleSampling })).ids,
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

test("without a seed, calls sample different tokens, and the summary has the seed that reproduces them", async () => {
  const seeds: (number | undefined)[] = [];
  const sampleIds = async (sampling: NonNullable<GenerateBatchOptions["sampling"]>, samples = 2) => {
    const onFinish = ({ seed }: GenerateBatchSummary) => seeds.push(seed);
    const rows = await batch({ samples, maxTokens: 8, sampling, onFinish }, model, [[1, 2]]);
    return [...rows.values()].map(({ ids }) => String(ids));
  };
  const texts = [await sampleIds({ temperature: 3 }), await sampleIds({ temperature: 3 })];
  expect(texts[0]).not.toEqual(texts[1]);
  expect(await sampleIds({ temperature: 3, seed: seeds[0]! })).toEqual(texts[0]);
  await sampleIds({}, 1);
  expect(seeds[3]).toBeUndefined();
});

test("each sequence ends when its context is full", async () => {
  const rows = await batch({});
  expect(prompts.map((prompt, i) => rows.get(`${i}.0`)!.ids.length + prompt.length)).toEqual([
    25, 25, 25, 25,
  ]);
});

test("each sequence ends at stop texts independently", async () => {
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

test("no prompts give no sequences; an abort rejects with its reason", async () => {
  expect((await batch({}, model, [])).size).toBe(0);
  expect((await batch({ maxTokens: 0 })).size).toBe(0);
  const reason = new Error("enough");
  await expect(batch({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  await expect(batch({ sampling: { topK: 0 } })).rejects.toThrow(/generateBatch: `topK` is 0/);
  await expect(batch({}, model, [[1], []])).rejects.toThrow(/`prompt` is "no tokens"/);
});

test("processors receive the ids of each row, and with `padId` its padding", async () => {
  const processors = [repetitionPenalty(1.5), noRepeatNgram(2), minNewTokens(2)];
  const rows = await batch({ maxTokens: 8, processors, stop: [0] });
  for (const [i, prompt] of prompts.entries()) {
    const { ids } = await alone(prompt, { maxTokens: 8, processors, stop: [0] });
    expect(rows.get(`${i}.0`)!.ids).toEqual(ids);
    const pairs = [...prompt, ...ids].flatMap((id, t, all) => (t > 0 ? [`${all[t - 1]} ${id}`] : []));
    expect(new Set(pairs).size).toBe(pairs.length);
    expect(ids.length).toBeGreaterThanOrEqual(2);
  }
  const events: string[] = [];
  const watch = {
    name: "watch",
    process: (_: Float64Array, { ids }: { ids: readonly number[] }) => void events.push(ids.join()),
  };
  await batch({ maxTokens: 1, processors: [watch], padId: 7 });
  expect(events).toEqual(["7,7,1,2,3", "7,7,7,7,4", "5,6,7,8,9", "7,7,7,7,1"]);
});

test("the summary has the stop reason of each sequence, token counts and timings", async () => {
  let summary: GenerateBatchSummary | undefined;
  const onFinish = (given: GenerateBatchSummary) => (summary = given);
  const sampling = { temperature: 1.2, seed: 5 };
  const free = await batch({ maxTokens: 9, samples: 2, sampling });
  const stop = [free.get("0.1")!.ids[3]!];
  const rows = await batch({ maxTokens: 9, samples: 2, sampling, stop, onFinish });
  const { sequences, usage, timings } = summary!;
  prompts.forEach((_, prompt) =>
    [0, 1].forEach((sample) => {
      const count = rows.get(`${prompt}.${sample}`)?.ids.length ?? 0;
      expect(sequences[prompt]![sample]).toEqual(
        count < 9
          ? { reason: "stop", stoppedBy: stop[0], generatedTokens: count }
          : { reason: "length", generatedTokens: 9 },
      );
    }),
  );
  expect(sequences[0]![1]!.reason).toBe("stop");
  const generatedTokens = [...rows.values()].reduce((sum, { ids }) => sum + ids.length, 0);
  expect(usage).toEqual({ promptTokens: 10, generatedTokens });
  expect(timings.promptMs).toBeGreaterThan(0);
  await batch({ onFinish });
  expect(summary!.sequences[2]![0]).toEqual({ reason: "context", generatedTokens: 20 });
  await batch({ onFinish }, model, []);
  expect(summary!.sequences).toEqual([]);
});
