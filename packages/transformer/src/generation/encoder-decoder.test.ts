import { expect, test } from "vitest";
import { decoder } from "../models/decoder.js";
import { encoderDecoder, type EncoderDecoderConfig } from "../models/encoder-decoder.js";
import type { GenerativeModel } from "../models/model.js";
import { beamSearch } from "./beam-search.js";
import { generate, type GenerateOptions } from "./generate.js";
import { generateBatch } from "./generate-batch.js";

const config: EncoderDecoderConfig = {
  ...{ vocabSize: 23, embedDim: 16, hiddenDim: 24, numLayers: 2, numHeads: 2, contextLength: 16 },
  ...{ startIds: [2], stopIds: [], embeddingScale: 50, embeddingNorm: true },
};
const modelFunctions = encoderDecoder(config);
const model = { ...modelFunctions, params: modelFunctions.init(3), tokenizer: undefined };
const sources = [
  [3, 1, 4, 1, 5],
  [9, 2],
  [6, 5, 3, 5],
];

async function generatedIds(model: GenerativeModel, source: readonly number[], options: GenerateOptions) {
  const ids: number[] = [];
  for await (const { id } of generate(model, source, options)) ids.push(id);
  return ids;
}

/** Greedy tokens, each computed by a call without a cache. */
function greedyIds(source: readonly number[], count: number, prefix = [2]): number[] {
  const ids = [...prefix];
  for (let n = 0; n < count; n++) {
    const { data } = model.apply(model.params, ids, { source, last: 1 });
    const row = Array.from(data as Float32Array);
    ids.push(row.indexOf(Math.max(...row)));
  }
  return ids.slice(prefix.length);
}

test("greedy tokens of generate, generateBatch and one beam equal those without a cache", async () => {
  const expected = sources.map((source) => greedyIds(source, 8));
  expect(new Set(expected.map(String)).size).toBeGreaterThan(1);
  for (const [i, source] of sources.entries())
    expect(await generatedIds(model, source, { maxTokens: 8 })).toEqual(expected[i]);
  const batch: number[][] = sources.map(() => []);
  for await (const { prompt, id } of generateBatch(model, sources, { maxTokens: 8 })) batch[prompt]!.push(id);
  expect(batch).toEqual(expected);
  const { sequences, usage } = await beamSearch(model, sources, { numBeams: 1, maxTokens: 8 });
  expect(sequences.map(([best]) => best!.ids)).toEqual(expected);
  expect(usage.promptTokens).toBe(11);
});

test("beams of a batch equal those of each source alone, as ids and encoded", async () => {
  const options = { numBeams: 3, numReturnSequences: 3, maxTokens: 6 };
  const { sequences } = await beamSearch(model, sources, options);
  for (const [i, source] of sources.entries()) {
    const alone = await beamSearch(model, [source], options);
    expect(alone.sequences[0]!.map(({ ids }) => ids)).toEqual(sequences[i]!.map(({ ids }) => ids));
    const encoded = await beamSearch(model, model.encode(model.params, source), options);
    expect(encoded.sequences).toEqual(alone.sequences);
  }
});

test("samples of a batch equal those of each source alone with the same seed", async () => {
  const sampling = { temperature: 1, seed: 7 };
  const sampledIds: number[][] = [[], [], [], []];
  const options = { samples: 2, maxTokens: 5, sampling };
  for await (const { prompt, sample, id } of generateBatch(model, sources.slice(0, 2), options))
    sampledIds[2 * prompt + sample]!.push(id);
  for (const [i, ids] of sampledIds.entries()) {
    const singleOptions = { maxTokens: 5, sampling: { temperature: 1, seed: 7 + (i % 2) } };
    expect(ids).toEqual(await generatedIds(model, sources[Math.floor(i / 2)]!, singleOptions));
  }
});

test("forcedBosId and forcedEosId begin and end the generated ids, and `decoderIds` are a prefix", async () => {
  const forced = { ...model, config: { ...config, forcedBosId: 11, forcedEosId: 12 } };
  const ids = await generatedIds(forced, sources[0]!, { maxTokens: 4 });
  expect([ids[0], ids[3]]).toEqual([11, 12]);
  const { sequences } = await beamSearch(forced, [sources[0]!], { numBeams: 2, maxTokens: 4 });
  expect(sequences[0]![0]!.ids.at(0)).toBe(11);
  const begun = await generatedIds(model, sources[0]!, { maxTokens: 4, decoderIds: [2, 7, 1] });
  expect(begun).toEqual(greedyIds(sources[0]!, 4, [2, 7, 1]));
});

test("decoderIds and encoded sources for a decoder, and ids outside the vocabulary, are refused", async () => {
  const { init, ...own } = decoder({
    ...{ vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1 },
    ...{ contextLength: 32, normEps: 1e-5, stopIds: [] },
  });
  const gpt = { ...own, params: init(1), tokenizer: undefined };
  await expect(generatedIds(gpt, [1], { decoderIds: [2] })).rejects.toThrow(
    /`decoderIds` is \[2\], expected nothing/,
  );
  const source = model.encode(model.params, sources);
  await expect(generate(gpt, source).next()).rejects.toThrow(/`prompt` is "a source that was encoded"/);
  await expect(generate(model, source).next()).rejects.toThrow(/a source of 3 texts/);
  await expect(generatedIds(model, [23], {})).rejects.toThrow(/`prompt` is 23/);
  await expect(generatedIds(model, [1], { decoderIds: [23] })).rejects.toThrow(/`decoderIds` is 23/);
  await expect(generate(model, "text").next()).rejects.toThrow(/`prompt` is "text", expected token ids/);
});
