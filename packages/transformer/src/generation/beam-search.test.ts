import { linearAttention, mixerLayer } from "@qkv/attention";
import { growingCache, pagedCache, quantizedCache, rollingCache } from "@qkv/kv-cache";
import { add, mul, randn } from "@qkv/tensor";
import { llama2cTokenizer } from "@qkv/tokenizer";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { runs } from "../../../../scripts/tier.mjs";
import type { DecoderConfig } from "../models/decoder-config.js";
import { decoder } from "../models/decoder.js";
import type { Model } from "../models/model.js";
import { beamSearch, type BeamSearchOptions, type BeamToken } from "./beam-search.js";
import { generate } from "./generate.js";
import { logSoftmax } from "./log-softmax.js";
import { minNewTokens } from "./processors/min-length.js";
import { noRepeatNgram } from "./processors/no-repeat-ngram.js";
import { repetitionPenalty } from "./processors/repetition-penalty.js";
import { suppressTokens } from "./processors/suppress-tokens.js";

/** A model whose output projection is large enough to prefer some tokens. */
function makeModel(changes: Partial<DecoderConfig> = {}, seed = 3): Model {
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
  const params = init(seed);
  const weight = add(mul(randn([config.vocabSize, 8], { seed: seed + 100 }), 0.6), 0);
  const embedding = { weight: mul(params.embedding.weight, 50) };
  return { config, params: { ...params, embedding, output: { weight } }, tokenizer: undefined, apply };
}

const model = makeModel();
const prompts = [[1, 2, 3], [4], [5, 6, 7, 8, 9], [1]];

/** Log-probabilities of the next token, without a cache. */
const nextLogProbs = ({ apply, params }: Model, ids: readonly number[]) =>
  logSoftmax(apply(params, ids, { last: 1 }).data as Float32Array);

type Rules = Required<Pick<BeamSearchOptions, "numBeams" | "lengthPenalty" | "earlyStopping" | "maxTokens">>;

/** Reference beam search: sorts all continuations of all beams, without a cache. */
function referenceBeams(
  of: Model,
  prompt: readonly number[],
  stop: number,
  rules: Rules,
  change = (logProbs: Float64Array, _: readonly number[]) => logProbs,
) {
  const { numBeams, lengthPenalty, earlyStopping, maxTokens } = rules;
  let beams = [{ ids: [] as number[], sum: 0 }];
  let ended: { ids: number[]; score: number }[] = [];
  for (let n = 1; n <= maxTokens; n++) {
    const best = beams
      .flatMap(({ ids, sum }) =>
        Array.from(change(nextLogProbs(of, [...prompt, ...ids]), ids), (logProb, id) => ({
          ids: [...ids, id],
          sum: sum + logProb,
        })),
      )
      .sort((a, b) => b.sum - a.sum)
      .slice(0, 2 * numBeams);
    const ends = ({ ids }: { ids: number[] }) => ids.at(-1) === stop || n === maxTokens;
    const just = best.slice(0, numBeams).filter(ends);
    ended = [...ended, ...just.map(({ ids, sum }) => ({ ids, score: sum / n ** lengthPenalty }))]
      .sort((a, b) => b.score - a.score)
      .slice(0, numBeams);
    beams = best.filter((beam) => !ends(beam)).slice(0, numBeams);
    if (ended.length < numBeams) continue;
    const most = earlyStopping === "never" && lengthPenalty > 0 ? maxTokens : n;
    if (earlyStopping === true || beams.length === 0) break;
    if (beams[0]!.sum / most ** lengthPenalty <= ended.at(-1)!.score) break;
  }
  return ended;
}

const anyRules: fc.Arbitrary<Rules> = fc.record({
  numBeams: fc.integer({ min: 1, max: 5 }),
  lengthPenalty: fc.constantFrom(-1, 0, 0.5, 1, 1.5),
  earlyStopping: fc.constantFrom<boolean | "never">(true, false, "never"),
  maxTokens: fc.integer({ min: 1, max: 8 }),
});

/** Ids including the stop id, as in the reference. */
const idsWithStop = ({ ids, stoppedBy }: { ids: number[]; stoppedBy?: number | string }) => [
  ...ids,
  ...(typeof stoppedBy === "number" ? [stoppedBy] : []),
];

test("property: beams equal those of an uncached search, with every length penalty and early stopping", async () => {
  await fc.assert(
    fc.asyncProperty(
      anyRules,
      fc.integer({ min: 0, max: 10 }),
      fc.integer({ min: 1, max: 40 }),
      async (rules, stop, seed) => {
        const model = makeModel({}, seed);
        const expected = referenceBeams(model, [1, 2, 3], stop, rules);
        const { sequences } = await beamSearch(model, [[1, 2, 3]], {
          ...rules,
          stop: [stop],
          numReturnSequences: rules.numBeams,
        });
        expect(sequences[0]!.map(idsWithStop)).toEqual(expected.map(({ ids }) => ids));
        const scores = expected.map(({ score }) => score);
        expect(sequences[0]!.map(({ score }) => score)).toBeAllclose(scores, { rtol: 0, atol: 1e-5 });
      },
    ),
    { numRuns: runs(40) },
  );
});

test("processors are applied to the log-probabilities of each beam and change its score", async () => {
  const rules: Rules = { numBeams: 3, lengthPenalty: 1, earlyStopping: false, maxTokens: 7 };
  for (let seed = 1; seed <= 20; seed++) {
    const model = makeModel({}, seed);
    // Log-probabilities are negative, so the repetition penalty multiplies them.
    const expected = referenceBeams(model, [1, 2, 3], 0, rules, (logProbs, ids) =>
      logProbs.map((logProb, id) =>
        id === 0 && ids.length < 3 ? -Infinity : [1, 2, 3, ...ids].includes(id) ? logProb * 1.4 : logProb,
      ),
    );
    const { sequences } = await beamSearch(model, [[1, 2, 3]], {
      ...rules,
      processors: [repetitionPenalty(1.4), minNewTokens(3)],
      stop: [0],
      numReturnSequences: 3,
    });
    expect(sequences[0]!.map(idsWithStop)).toEqual(expected.map(({ ids }) => ids));
    const scores = expected.map(({ score }) => score);
    expect(sequences[0]!.map(({ score }) => score)).toBeAllclose(scores, { rtol: 0, atol: 1e-5 });
  }
});

test("different length penalties and early stopping give different sequences", async () => {
  const distinct = new Set<string>();
  const rules: Partial<BeamSearchOptions>[] = [
    { lengthPenalty: -2, earlyStopping: false },
    { lengthPenalty: 2, earlyStopping: "never" },
    { lengthPenalty: 2, earlyStopping: true },
    { lengthPenalty: 2, earlyStopping: false },
  ];
  const results = await Promise.all(
    rules.map(async (rule) => {
      const lists: number[][] = [];
      for (let seed = 1; seed <= 24; seed++) {
        const { sequences } = await beamSearch(makeModel({}, seed), [[1, 2]], {
          ...rule,
          numBeams: 3,
          maxTokens: 9,
          stop: [0, 1, 2],
        });
        lists.push(sequences[0]![0]!.ids);
      }
      return JSON.stringify(lists);
    }),
  );
  for (const result of results) distinct.add(result);
  expect(distinct.size).toBe(rules.length);
});

test("9 beams find the best of ranked sequences of three tokens from a vocabulary of 3", async () => {
  for (const stop of [undefined, 2]) {
    for (let seed = 1; seed <= 20; seed++) {
      const model = makeModel({ vocabSize: 3 }, seed);
      const ranked: { ids: number[]; score: number }[] = [];
      const visit = (ids: number[], sum: number) => {
        if (ids.length === 3 || (ids.length > 0 && ids.at(-1) === stop))
          return void ranked.push({ ids, score: sum / ids.length });
        nextLogProbs(model, [1, ...ids]).forEach((logProb, id) => visit([...ids, id], sum + logProb));
      };
      visit([], 0);
      expect(ranked.length).toBe(stop === undefined ? 27 : 15);
      const best = ranked.sort((a, b) => b.score - a.score)[0]!;
      const { sequences } = await beamSearch(model, [[1]], {
        numBeams: 9,
        maxTokens: 3,
        earlyStopping: "never",
        ...(stop !== undefined && { stop: [stop] }),
      });
      expect(idsWithStop(sequences[0]![0]!)).toEqual(best.ids);
      expect(sequences[0]![0]!.score).toBeCloseTo(best.score, 5);
    }
  }
});

test("one beam equals greedy search", async () => {
  const processors = [noRepeatNgram(2)];
  for (const prompt of prompts) {
    const ids: number[] = [];
    for await (const { id } of generate(model, prompt, { maxTokens: 7, processors })) ids.push(id);
    const { sequences } = await beamSearch(model, [prompt], { numBeams: 1, maxTokens: 7, processors });
    expect(sequences[0]![0]!.ids).toEqual(ids);
  }
});

const recurrent = mixerLayer({ embedDim: 8, numHeads: 2, mixer: linearAttention() });

test.each<[string, Partial<DecoderConfig>]>([
  ["rotary positions", {}],
  ["learned positions", { positions: "learned" }],
  ["sliding windows", { layerTypes: ["sliding", "full"], window: 4 }],
  ["recurrent layers and attention", { layerTypes: [recurrent, "full"] }],
])("a batch of prompts of different lengths equals each prompt alone: %s", async (_, changes) => {
  const model = makeModel(changes);
  const options = { numBeams: 4, numReturnSequences: 3, maxTokens: 7, stop: [0, 7], logprobs: 2 };
  const processors = [repetitionPenalty(1.3), noRepeatNgram(2)];
  const together = await beamSearch(model, prompts, { ...options, processors });
  for (const [i, prompt] of prompts.entries()) {
    const alone = await beamSearch(model, [prompt], { ...options, processors });
    const shape = ({ ids, reason, stoppedBy }: (typeof alone.sequences)[0][0]) => ({
      ids,
      reason,
      stoppedBy,
    });
    expect(together.sequences[i]!.map(shape)).toEqual(alone.sequences[0]!.map(shape));
    const scores = alone.sequences[0]!.map(({ score }) => score);
    expect(together.sequences[i]!.map(({ score }) => score)).toBeAllclose(scores, { rtol: 0, atol: 1e-5 });
  }
  const tokens = together.sequences.flat().flatMap((sequence) => sequence.tokens);
  expect(tokens.every(({ top }) => top?.length === 2 && top[0]!.logprob >= top[1]!.logprob)).toBe(true);
});

test("processors receive padding ids only with `padId`", async () => {
  const processors = [suppressTokensSeen()];
  const without = await beamSearch(model, [[1, 2, 3], [4]], { maxTokens: 3, processors });
  expect(without.sequences.flat().some(({ ids }) => ids.includes(9))).toBe(true);
  const padded = await beamSearch(model, [[1, 2, 3], [4]], { maxTokens: 3, processors, padId: 9 });
  expect(padded.sequences[0]).toEqual(without.sequences[0]);
  expect(padded.sequences[1]![0]!.ids).not.toContain(9);

  /** Forces token 9 unless it was seen. */
  function suppressTokensSeen() {
    return {
      name: "9 unless seen",
      process(scores: Float64Array, { ids }: { ids: readonly number[] }) {
        scores[9] = ids.includes(9) ? -Infinity : 0;
      },
    };
  }
});

test("all kinds of caches support reorder and give the same beams", async () => {
  const options = { numBeams: 4, maxTokens: 8, stop: [0] };
  const expected = await beamSearch(model, prompts, options);
  const paged = pagedCache({ numLayers: 2, pages: 128, pageLength: 2 });
  const rolling = rollingCache({ numLayers: 2, windowSize: 24 });
  for (const cache of [growingCache({ numLayers: 2 }), paged, rolling]) {
    const result = await beamSearch(model, prompts, { ...options, cache });
    expect(result.sequences).toEqual(expected.sequences);
    expect(cache.length).toBe(0);
  }
  expect(paged.freePages).toBe(paged.pages);
  const quantized = quantizedCache({ numLayers: 2 });
  expect((await beamSearch(model, prompts, { ...options, cache: quantized })).sequences.length).toBe(4);
});

test("onToken receives the tokens of the best sequence before the search ends", async () => {
  let calls = 0;
  const counted: Model = {
    ...model,
    apply(...args) {
      calls += 1;
      return model.apply(...args);
    },
  };
  const reportedTokens: (BeamToken & { at: number })[] = [];
  const onToken = (token: BeamToken) => reportedTokens.push({ ...token, at: calls });
  const { sequences, usage } = await beamSearch(counted, prompts, { maxTokens: 12, stop: [0], onToken });
  for (const [i, [best]] of sequences.entries()) {
    expect(reportedTokens.filter(({ prompt }) => prompt === i).map(({ id }) => id)).toEqual(best!.ids);
  }
  expect(reportedTokens[0]!.at).toBeLessThan(calls);
  expect(usage.promptTokens).toBe(10);
  const count = (sequence: (typeof sequences)[0][0]) =>
    sequence.ids.length + (sequence.stoppedBy === undefined ? 0 : 1);
  expect(usage.generatedTokens).toBe(sequences.flat().reduce((sum, sequence) => sum + count(sequence), 0));
});

function makeTextModel(seed = 3): Model {
  const file: number[] = [6, 0, 0, 0];
  for (const token of ["<unk>", "<s>", "</s>", " ", ..."abcdefghijklmnopqrstuvwxyz"]) {
    file.push(0, 0, 0, 0, token.length, 0, 0, 0, ...new TextEncoder().encode(token));
  }
  const tokenizer = llama2cTokenizer(Uint8Array.from(file));
  const randomModel = makeModel({ vocabSize: tokenizer.vocabSize }, seed);
  return { ...randomModel, tokenizer };
}

test("sequences end at stop texts, which are not included in their text", async () => {
  const textModel = makeTextModel();
  const free = await beamSearch(textModel, ["ab"], { maxTokens: 8 });
  const { text } = free.sequences[0]![0]!;
  expect(text.length).toBe(8);
  const stop = text.slice(2, 4);
  let streamed = "";
  const { sequences } = await beamSearch(textModel, ["ab"], {
    maxTokens: 8,
    stop: [stop],
    numReturnSequences: 4,
    onToken: (token) => (streamed += token.text),
  });
  const stoppedSequences = sequences[0]!.filter(({ reason }) => reason === "stop");
  expect(stoppedSequences.length).toBeGreaterThan(0);
  for (const sequence of sequences[0]!) {
    expect(sequence.text).not.toContain(stop);
    if (sequence.reason === "stop") expect(sequence.stoppedBy).toBe(stop);
    else expect(sequence.ids.length).toBe(8);
  }
  expect(streamed).toBe(sequences[0]![0]!.text);
});

test("sequences have the stop reason, and tokens with log-probabilities", async () => {
  const rules = { numBeams: 2, numReturnSequences: 2, stop: [0] };
  const byLength = await beamSearch(model, [[1]], { ...rules, maxTokens: 3, processors: [minNewTokens(9)] });
  expect(byLength.sequences[0]!.map(({ reason }) => reason)).toEqual(["length", "length"]);
  const full = await beamSearch(model, [[1, 2, 3]], { ...rules, processors: [suppressTokens([0])] });
  expect(full.sequences[0]!.map(({ reason, ids }) => [reason, ids.length])).toEqual([
    ["context", 22],
    ["context", 22],
  ]);
  // Without processors the score is the mean of the log-probabilities.
  const free = await beamSearch(model, [[1]], { maxTokens: 5 });
  const { tokens, score } = free.sequences[0]![0]!;
  expect(tokens.reduce((sum, { logprob }) => sum + logprob, 0) / 5).toBeCloseTo(score, 12);
});

test("no prompts give no sequences; an abort rejects with its reason and empties the cache", async () => {
  expect((await beamSearch(model, [])).sequences).toEqual([]);
  expect((await beamSearch(model, [[1], [2]], { maxTokens: 0 })).sequences).toEqual([[], []]);
  const reason = new Error("enough");
  await expect(beamSearch(model, prompts, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const cache = growingCache({ numLayers: 2 });
  const controller = new AbortController();
  const stopping = beamSearch(model, prompts, {
    cache,
    signal: controller.signal,
    onToken: () => controller.abort(reason),
  });
  await expect(stopping).rejects.toBe(reason);
  expect(cache.length).toBe(0);
});

test.each<[BeamSearchOptions, RegExp]>([
  [{ numBeams: 0 }, /beamSearch: `numBeams` is 0, expected an integer number of beams, 1 or more/],
  [{ numReturnSequences: 5 }, /`numReturnSequences` is 5.*at most 4.*\nFix: raise `numBeams`/],
  [{ lengthPenalty: NaN }, /`lengthPenalty` is NaN/],
  [{ earlyStopping: "always" as never }, /`earlyStopping` is "always", expected true, false or "never"/],
  [{ processors: [1 as never] }, /`processors` is 1.*\nFix: make them by the functions of/],
  [{ processors: repetitionPenalty(2) as never }, /`processors` is .*expected a list of logits processors/],
  [{ padId: 11 }, /`padId` is 11, expected a token id from 0 to 10/],
  [{ num_beams: 4 } as never, /`num_beams` is 4.*\nFix: write `numBeams`/],
  [{ onToken: 1 as never }, /`onToken` is 1/],
  [{ processors: [suppressTokens([...Array(11).keys()])] }, /expected processors that leave a token/],
])("invalid options are refused: %o", async (options, message) => {
  await expect(beamSearch(model, [[1]], options)).rejects.toThrow(message);
});

test("a cache that holds tokens is refused", async () => {
  const cache = growingCache({ numLayers: 2 });
  model.apply(model.params, [1, 2], { cache });
  await expect(beamSearch(model, [[1]], { cache })).rejects.toThrow(/`cache` is "a cache of 2 tokens"/);
  expect(cache.length).toBe(2);
});

test("NaN logits are refused", async () => {
  const broken: Model = { ...model, apply: (...args) => mul(model.apply(...args), NaN) };
  await expect(beamSearch(broken, [[1]])).rejects.toThrow(/`logits` is "NaN at token 0"/);
});
