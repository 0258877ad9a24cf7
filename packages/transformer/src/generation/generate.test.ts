import { growingCache } from "@qkv/kv-cache";
import { llama2cTokenizer } from "@qkv/tokenizer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { generate, type GeneratedToken, type GenerateOptions, type GenerateSummary } from "./generate.js";
import type { LogitsProcessor } from "./processors/logits-processor.js";
import type { Sampling } from "./sampling.js";
import { decoder } from "../models/decoder.js";
import type { Model } from "../models/model.js";

/** A small decoder with random weights. */
function makeModel(changes: { vocabSize?: number; contextLength?: number; stopIds?: number[] } = {}): Model {
  const { config, init, apply } = decoder({
    vocabSize: 11,
    embedDim: 8,
    hiddenDim: 12,
    numLayers: 2,
    numHeads: 2,
    numKvHeads: 1,
    contextLength: 24,
    normEps: 1e-5,
    ropeBase: 10000,
    ropeLayout: "interleaved",
    stopIds: [],
    ...changes,
  });
  return { config, params: init(3), tokenizer: undefined, apply };
}

const model = makeModel();
const random = { temperature: 1.5, seed: 5 };

async function collect(prompt: string | readonly number[], options: GenerateOptions = {}, from = model) {
  const tokens: GeneratedToken[] = [];
  for await (const token of generate(from, prompt, options)) tokens.push(token);
  return tokens;
}
const tokenIds = (all: readonly GeneratedToken[]) => all.map(({ id }) => id);
const lastLogits = (ids: readonly number[], from = model) => {
  const { data, shape } = from.apply(from.params, ids);
  return [...data.slice(-shape[2]!)];
};

test("property: without sampling, each token is the argmax of a call without a cache, with its log-probability", async () => {
  const prompts = fc.array(fc.nat(10), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(prompts, async (prompt) => {
      const ids = [...prompt];
      for (const { id, logprob, text } of await collect(prompt, { maxTokens: 6 })) {
        const logits = lastLogits(ids);
        expect(id).toBe(logits.indexOf(Math.max(...logits)));
        const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
        expect(logprob).toBeCloseTo(logits[id]! - Math.log(total), 5);
        expect(text).toBe("");
        ids.push(id);
      }
      expect(ids.length).toBe(prompt.length + 6);
    }),
    { numRuns: 20 },
  );
});

test("equal seeds give equal tokens, different seeds different ones, and maxTokens only truncates", async () => {
  const ids = async (seed: number, maxTokens: number) =>
    tokenIds(await collect([1, 2], { maxTokens, sampling: { temperature: 1.5, seed } }));
  expect(await ids(5, 12)).toEqual(await ids(5, 12));
  expect((await ids(5, 12)).slice(0, 7)).toEqual(await ids(5, 7));
  expect(await ids(5, 12)).not.toEqual(await ids(6, 12));
});

test("without a seed, calls sample different tokens, and the summary has the seed that reproduces them", async () => {
  const sampleIds = async (sampling: Sampling) => {
    let seed: number | undefined;
    const onFinish = (summary: GenerateSummary) => (seed = summary.seed);
    return { text: String(tokenIds(await collect([1, 2], { maxTokens: 12, sampling, onFinish }))), seed };
  };
  const all = await Promise.all(Array.from({ length: 5 }, () => sampleIds({ temperature: 3 })));
  expect(new Set(all.map(({ text }) => text)).size).toBeGreaterThan(1);
  for (const { text, seed } of all) {
    expect(await sampleIds({ temperature: 3, seed: seed! })).toEqual({ text, seed });
  }
  expect((await sampleIds({})).seed).toBeUndefined();
});

test("over many seeds, token frequencies equal their probabilities", async () => {
  const prompt = [1, 2, 3];
  const logits = lastLogits(prompt).map((logit) => Math.exp(logit / 2));
  const total = logits.reduce((a, b) => a + b);
  const runs = 2000;
  const counts = logits.map(() => 0);
  for (let seed = 0; seed < runs; seed++) {
    const [{ id }] = (await collect(prompt, { maxTokens: 1, sampling: { temperature: 2, seed } })) as [
      GeneratedToken,
    ];
    counts[id]! += 1;
  }
  // Chi-square with 10 degrees of freedom is above 29.6 once in a thousand times; the seeds are fixed.
  const chi = counts.reduce((sum, count, id) => {
    const expected = (runs * logits[id]!) / total;
    return sum + (count - expected) ** 2 / expected;
  }, 0);
  expect(chi).toBeLessThan(29.6);
});

test("a very small top-p equals greedy decoding", async () => {
  const narrow = await collect([4, 5], { maxTokens: 10, sampling: { ...random, topP: 1e-9 } });
  expect(tokenIds(narrow)).toEqual(tokenIds(await collect([4, 5], { maxTokens: 10 })));
  expect(tokenIds(narrow)).not.toEqual(tokenIds(await collect([4, 5], { maxTokens: 10, sampling: random })));
});

test("generation ends at a stop id of the model or of the call, which is not returned", async () => {
  const free = tokenIds(await collect([1], { maxTokens: 15, sampling: random }));
  const stop = free[6]!;
  const expected = free.slice(0, free.indexOf(stop));
  expect(tokenIds(await collect([1], { maxTokens: 15, sampling: random, stop: [stop] }))).toEqual(expected);
  const stopping = makeModel({ stopIds: [stop] });
  expect(tokenIds(await collect([1], { maxTokens: 15, sampling: random }, stopping))).toEqual(expected);
  expect(tokenIds(await collect([1], { maxTokens: 15, sampling: random, stop: [] }))).toEqual(free);
});

test("generation ends after maxTokens, or when the context is full", async () => {
  for (const maxTokens of [0, 1, 4]) expect(await collect([1, 2], { maxTokens })).toHaveLength(maxTokens);
  // The context of 24 tokens has room for 19 after the prompt of 5; one more token is sampled from the last logits.
  for (const maxTokens of [undefined, 100]) {
    const cache = growingCache({ numLayers: 2 });
    const all = await collect([1, 2, 3, 4, 5], { cache, ...(maxTokens && { maxTokens }) });
    expect(all).toHaveLength(20);
    expect(cache.length).toBe(24);
  }
  expect(await collect(Array.from({ length: 24 }, () => 1))).toHaveLength(1);
  await expect(collect(Array.from({ length: 25 }, () => 1))).rejects.toThrow(
    /generate: `prompt` is "25 tokens", expected at most 24, what is left of the model's context of 24.\nFix: shorten/,
  );
});

test("a second call with the cache equals one call with a long prompt", async () => {
  for (const end of [
    { maxTokens: 5 },
    { maxTokens: 12, stop: [tokenIds(await collect([1, 2, 3], { maxTokens: 9 }))[4]!] },
  ]) {
    const cache = growingCache({ numLayers: 2 });
    const tokens = [1, 2, 3];
    for (const { id } of await collect(tokens, { cache, ...end })) tokens.push(id);
    tokens.push(7, 8);
    const second = await collect(tokens.slice(cache.length), { cache, maxTokens: 5 });
    expect(second).toEqual(await collect(tokens, { maxTokens: 5 }));
    await expect(
      collect(
        Array.from({ length: 20 }, () => 1),
        { cache },
      ),
    ).rejects.toThrow(new RegExp(`expected at most ${24 - cache.length}, what is left`));
  }
});

test("an abort rejects with the signal's reason, and generation continues equally with the same cache", async () => {
  const uninterrupted = tokenIds(await collect([1, 2, 3], { maxTokens: 12, sampling: { temperature: 0 } }));
  const controller = new AbortController();
  const reason = new Error("enough");
  const cache = growingCache({ numLayers: 2 });
  const tokens = [1, 2, 3];
  const run = async () => {
    for await (const { id } of generate(model, tokens.slice(), { cache, signal: controller.signal })) {
      tokens.push(id);
      if (tokens.length === 8) controller.abort(reason);
    }
  };
  await expect(run()).rejects.toBe(reason);
  expect(tokens).toEqual([1, 2, 3, ...uninterrupted.slice(0, 5)]);
  for (const { id } of await collect(tokens.slice(cache.length), { cache, maxTokens: 7 })) tokens.push(id);
  expect(tokens).toEqual([1, 2, 3, ...uninterrupted]);

  const untouched = growingCache({ numLayers: 2 });
  await expect(collect([1], { cache: untouched, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(untouched.length).toBe(0);
});

test("leaving the loop early stops the computation, and the cache can be continued", async () => {
  const cache = growingCache({ numLayers: 2 });
  const tokens = [1, 2, 3];
  for await (const { id } of generate(model, tokens.slice(), { cache })) {
    tokens.push(id);
    if (tokens.length === 6) break;
  }
  expect(cache.length).toBe(5);
  const more = await collect(tokens.slice(cache.length), { cache, maxTokens: 3 });
  expect(more).toEqual(await collect(tokens, { maxTokens: 3 }));
});

test("timers fire during generation", async () => {
  let ticks = 0;
  const slow: Model = {
    ...model,
    apply: (...all) => {
      const until = performance.now() + 15;
      while (performance.now() < until);
      return model.apply(...all);
    },
  };
  const timer = setInterval(() => (ticks += 1), 1);
  await collect([1], { maxTokens: 6 }, slow);
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(2);
});

test("tokens of text prompts have only complete characters", async () => {
  const tokenBytes = Array.from(
    { length: 256 },
    (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, "0")}>`,
  );
  const file: number[] = [6, 0, 0, 0];
  for (const token of ["<unk>", "<s>", "</s>", ...tokenBytes, " ", "a", "b"]) {
    file.push(0, 0, 0, 0, token.length, 0, 0, 0, ...new TextEncoder().encode(token));
  }
  const tokenizer = llama2cTokenizer(Uint8Array.from(file));
  const textModel = { ...makeModel({ vocabSize: tokenizer.vocabSize, contextLength: 64 }), tokenizer };
  const all = await collect("ab", { sampling: { temperature: 3, seed: 1 } }, textModel);
  const prompt = tokenizer.encode("ab");
  expect(all.length).toBe(64 - prompt.length + 1);
  const ids = tokenIds(all);
  expect(all.map(({ text }) => text).join("")).toBe(tokenizer.decode([...prompt, ...ids]).slice("ab".length));
  expect(await collect(prompt, { sampling: { temperature: 3, seed: 1 } }, textModel)).toEqual(all);

  // Forced bytes of the euro sign: its text comes with the third token.
  const euro = [0xe2, 0x82, 0xac].map((byte) => byte + 3);
  let n = 0;
  const forced: Model = {
    ...textModel,
    apply: (params, given, options) => {
      const logits = textModel.apply(params, given, options);
      logits.data[logits.data.length - tokenizer.vocabSize + euro[n++ % 3]!] = 1000;
      return logits;
    },
  };
  const texts = (await collect("a", { maxTokens: 5 }, forced)).map(({ text }) => text);
  expect(texts).toEqual(["", "", "€", "", "\uFFFD"]);
  // A character that the prompt began is completed.
  n = 2;
  const begun = [...tokenizer.encode("a"), ...euro.slice(0, 2)];
  expect((await collect(begun, { maxTokens: 1 }, forced)).map(({ text }) => text)).toEqual(["€"]);
});

test("invalid calls are refused, with the fix", async () => {
  await expect(collect("once")).rejects.toThrow(
    /generate: `prompt` is "once", expected token ids, since the model has no tokenizer.\nFix: load the model with `tokenizer`/,
  );
  await expect(collect([])).rejects.toThrow(/`prompt` is "no tokens", expected one token or more/);
  for (const maxTokens of [-1, 1.5, NaN]) {
    await expect(collect([1], { maxTokens })).rejects.toThrow(
      /`maxTokens` is .*, expected an integer number of tokens, 0 or more/,
    );
  }
  await expect(collect([1], { sampling: { topP: 0 } })).rejects.toThrow(/`topP` is 0/);
  await expect(collect([11])).rejects.toThrow(/`prompt` is 11, expected an integer from 0 to 10/);
});

test("speculative decoding gives the same tokens in fewer passes, with accepted and rejected draft tokens", async () => {
  // Text of a small vocabulary repeats, which prompt lookup needs.
  const model = makeModel({ vocabSize: 4, contextLength: 60 });
  for (const sampling of [{}, { temperature: 0.3, seed: 3 }, { repetitionPenalty: 1.3 }]) {
    for (const prompt of [
      [1, 2, 3],
      [0, 1, 0, 1, 0],
    ]) {
      let passes = 0;
      const counted: Model = {
        ...model,
        apply: (...all) => {
          passes += 1;
          return model.apply(...all);
        },
      };
      const plain = await collect(prompt, { sampling }, model);
      let summary: GenerateSummary | undefined;
      const cache = growingCache({ numLayers: 2 });
      const speculative = { sampling, cache, speculate: {}, onFinish: (s: GenerateSummary) => (summary = s) };
      expect(await collect(prompt, speculative, counted)).toEqual(plain);
      const { draftTokens, acceptedTokens, generatedTokens } = summary!.usage;
      expect(generatedTokens).toBe(plain.length);
      expect(passes).toBe(generatedTokens - acceptedTokens);
      expect(acceptedTokens).toBeLessThanOrEqual(draftTokens);
      // The context is full: the cache holds all tokens but the last.
      expect(cache.length).toBe(60);
    }
  }
  let accepted = 0;
  await collect(
    [0, 1, 0, 1, 0],
    {
      speculate: { ngramSize: 2, draftLength: 5 },
      onFinish: ({ usage }) => (accepted = usage.acceptedTokens),
    },
    model,
  );
  expect(accepted).toBeGreaterThan(0);
});

test("after leaving the loop early, a speculative cache has only returned tokens", async () => {
  const model = makeModel({ vocabSize: 4, contextLength: 60 });
  const uninterrupted = tokenIds(await collect([0, 1, 0, 1, 0], {}, model));
  for (let leave = 1; leave < 12; leave++) {
    const cache = growingCache({ numLayers: 2 });
    const tokens = [0, 1, 0, 1, 0];
    for await (const { id } of generate(model, tokens.slice(), { cache, speculate: {} })) {
      tokens.push(id);
      if (tokens.length === 5 + leave) break;
    }
    expect(cache.length).toBeLessThanOrEqual(tokens.length);
    const rest = tokens.slice(cache.length).length > 0 ? tokens.slice(cache.length) : tokens.slice(-1);
    if (cache.length === tokens.length) cache.crop(-1);
    const more = await collect(rest, { cache, maxTokens: 5 }, model);
    expect(tokenIds(more)).toEqual(uninterrupted.slice(leave, leave + 5));
  }
});

test("with `logprobs`, each token has the most likely tokens", async () => {
  for (const { id, logprob, top } of await collect([1, 2], { maxTokens: 4, logprobs: 3 })) {
    expect(top).toHaveLength(3);
    expect(top![0]).toEqual({ id, logprob });
    expect(top![1]!.logprob).toBeLessThanOrEqual(logprob);
  }
  expect((await collect([1], { maxTokens: 1 }))[0]).not.toHaveProperty("top");
});

test("logits processors are applied before sampling, and receive prompt and generated ids", async () => {
  const events: string[] = [];
  const watch: LogitsProcessor = {
    name: "watch",
    process(scores, { ids, promptLength, maxLength }) {
      events.push(`${ids.join()}; ${promptLength} of ${maxLength}`);
      scores.fill(-Infinity, 0, 4);
    },
  };
  const ids = tokenIds(await collect([1, 2], { maxTokens: 3, processors: [watch] }));
  expect(Math.min(...ids)).toBeGreaterThanOrEqual(4);
  expect(events).toEqual(["1,2; 2 of 5", `1,2,${ids[0]}; 2 of 5`, `1,2,${ids[0]},${ids[1]}; 2 of 5`]);
  const sampling = { temperature: 5, seed: 1 };
  const sampled = tokenIds(await collect([1, 2], { maxTokens: 9, processors: [watch], sampling }));
  expect(Math.min(...sampled)).toBeGreaterThanOrEqual(4);
});

test("onFinish receives the stop reason, token counts and timings", async () => {
  const summaries: GenerateSummary[] = [];
  const onFinish = (summary: GenerateSummary) => summaries.push(summary);
  await collect([1, 2], { maxTokens: 3, onFinish });
  await collect([1, 2], { onFinish });
  const free = tokenIds(await collect([1, 2], { maxTokens: 12 }));
  await collect([1, 2], { stop: [free[5]!], onFinish });
  expect(summaries.map(({ reason }) => reason)).toEqual(["length", "context", "stop"]);
  expect(summaries.map(({ stoppedBy }) => stoppedBy)).toEqual([undefined, undefined, free[5]]);
  expect(summaries[0]!.usage).toEqual({
    promptTokens: 2,
    generatedTokens: 3,
    draftTokens: 0,
    acceptedTokens: 0,
  });
  expect(summaries[1]!.usage.generatedTokens).toBe(23);
  for (const number of Object.values(summaries[1]!.timings)) expect(number).toBeGreaterThan(0);
});

test("text ends before a stop text, and an incomplete character before a stop id becomes U+FFFD", async () => {
  const tokenBytes = Array.from(
    { length: 256 },
    (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, "0")}>`,
  );
  const file: number[] = [6, 0, 0, 0];
  for (const token of ["<unk>", "<s>", "</s>", ...tokenBytes]) {
    file.push(0, 0, 0, 0, token.length, 0, 0, 0, ...new TextEncoder().encode(token));
  }
  const tokenizer = llama2cTokenizer(Uint8Array.from(file));
  const textModel = { ...makeModel({ vocabSize: tokenizer.vocabSize, contextLength: 64 }), tokenizer };
  /** A model that generates the given bytes, then token 2. */
  const modelOfBytes = (bytes: number[]): Model => {
    let n = 0;
    return {
      ...textModel,
      apply: (params, given, options) => {
        const logits = textModel.apply(params, given, options);
        logits.data[logits.data.length - tokenizer.vocabSize + (n < bytes.length ? bytes[n]! + 3 : 2)] = 1000;
        n += 1;
        return logits;
      },
    };
  };
  const bytes = [...new TextEncoder().encode("x €END.")];
  const texts = async (options: GenerateOptions, tokens = bytes) =>
    (await collect("a", options, modelOfBytes(tokens))).map(({ text }) => text);
  expect((await texts({ stop: [2] })).join("")).toBe("x €END.");
  expect(await texts({ stop: [2, "END"] })).toEqual(["x", " ", "", "", "€", "", "", ""]);
  expect((await texts({ stop: ["€E"] })).join("")).toBe("x ");
  expect((await texts({ stop: ["ENDE", 2] })).join("")).toBe("x €END.");
  expect(await texts({ stop: [2] }, bytes.slice(0, 4))).toEqual(["x", " ", "", "\uFFFD"]);
  await expect(texts({ stop: [""] })).rejects.toThrow(
    /`stop` is "", expected texts of one character or more/,
  );
  await expect(collect([1], { stop: ["END"] })).rejects.toThrow(/`stop` is "END", expected token ids/);
});

test("invalid options of speculative decoding are refused", async () => {
  await expect(collect([1], { speculate: { draftLength: 0 } })).rejects.toThrow(
    /`speculate.draftLength` is 0, expected an integer/,
  );
  const { crop: _crop, ...bare } = growingCache({ numLayers: 2 });
  await expect(collect([1], { speculate: {}, cache: bare })).rejects.toThrow(
    /`cache` is "a cache without crop"/,
  );
});
