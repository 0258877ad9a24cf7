import { growingCache, quantizedCache, rollingCache } from "@qkv/kv-cache";
import { modelTiny } from "@qkv/model-tiny";
import { uniform, type Tensor } from "@qkv/tensor";
import { candidates, generate, load, type Model } from "@qkv/transformer";
import type { GenerationChoices, GenerationModel } from "@qkv/viz/figures/generation";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { runs } from "../../../scripts/tier.mjs";
import { generationModel } from "./generation-model.js";

let model: Model;
beforeAll(async () => {
  model = await load(await modelTiny());
});
const text = "The cat sat on the";
const moo = "The cow says moo. What does the cow say? The";
const encodeText = (given: string) => model.tokenizer!.encode(given, { addSpecialTokens: false });
const caches = {
  contiguous: () => growingCache({ numLayers: 4 }),
  rolling: () => rollingCache({ numLayers: 4, windowSize: 4, keepFirst: 1, room: 5 }),
  quantized: () => quantizedCache({ numLayers: 4, groupSize: 4, residualLength: 0 }),
};
type Some = Partial<GenerationChoices>;

/** Ids and probabilities of `generate`. */
async function generated(choices: Some, prompt: readonly number[] = encodeText(choices.text ?? text)) {
  const { temperature = 0.8, topP = 0.9, seed = 5, tokens = 5, cache = "contiguous", draft } = choices;
  const ids: number[] = [];
  const chances: number[] = [];
  let usage;
  for await (const { id, logprob } of generate(model, prompt, {
    maxTokens: tokens,
    sampling: { temperature, topP, seed },
    cache: caches[cache](),
    ...(draft === "prompt-lookup" && { speculate: { ngramSize: 3, draftLength: 4 } }),
    onFinish: (summary) => (usage = summary.usage),
  })) {
    ids.push(id);
    chances.push(Math.exp(logprob));
  }
  return { ids, chances, usage };
}
const written = ({ generated }: GenerationModel) => generated.filter(({ ends }) => !ends);
const takenChance = ({ candidates, taken }: GenerationModel["generated"][number]) =>
  candidates[taken]!.probability;

test("property: tokens and probabilities are those of `generate` with the same seed, in each cache, with a draft and without", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        text: fc.constantFrom(text, moo, "", "Once upon a time, there was"),
        temperature: fc.constantFrom(0, 0.5, 0.8, 1, 1.7),
        topP: fc.constantFrom(0.3, 0.9, 1),
        seed: fc.nat(50),
        tokens: fc.integer({ min: 1, max: 9 }),
        cache: fc.constantFrom("contiguous" as const, "rolling" as const, "quantized" as const),
        draft: fc.constantFrom("none" as const, "prompt-lookup" as const),
      }),
      async (choices) => {
        const made = await generationModel(model, { ...choices, branches: "" });
        const prompt = choices.text === "" ? model.config.stopIds.slice(0, 1) : encodeText(choices.text);
        const { ids, chances } = await generated(choices, prompt);
        expect(written(made).map(({ id }) => id)).toEqual(ids);
        written(made).forEach((one, i) => expect(takenChance(one)).toBeCloseTo(chances[i]!, 5));
      },
    ),
    { numRuns: runs(40) },
  );
});

test("the sentence of the first picture", async () => {
  const { prompt, generated, branches } = await generationModel(model);
  expect([...prompt, ...generated.map(({ text }) => text)].join("")).toBe(
    "The cat sat on the mat. Then it followed",
  );
  expect(branches.map(({ tokens }) => tokens[0])).toEqual([" mat", " hill", " river"]);
});

test("weights are those of a traced pass over the text so far, and sum to 1", async () => {
  const made = await generationModel(model);
  const ids = [...encodeText(text), ...made.generated.map(({ id }) => id)];
  for (const [n, { weights }] of made.generated.entries()) {
    const T = made.prompt.length + n;
    const tensors: Record<string, Tensor> = {};
    model.apply(model.params, ids.slice(0, T), { trace: { names: ["weights"], tensors } });
    weights.forEach((row, head) => {
      const whole = tensors[`layers.${Math.floor(head / 4)}.attention.weights`]!.data;
      const last = whole.slice(((head % 4) * T + T - 1) * T, ((head % 4) * T + T) * T);
      expect(row).toHaveLength(T);
      row.forEach((weight, j) => expect(weight).toBeCloseTo(Number(last[j]), 5));
      expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    });
  }
});

test("with a draft, the weights are those of the same text without one", async () => {
  const choices = { text: moo, seed: 1 };
  const [plain, drafted] = [
    await generationModel(model, choices),
    await generationModel(model, { ...choices, draft: "prompt-lookup" }),
  ];
  for (const [n, { weights }] of drafted.generated.entries())
    weights.forEach((row, head) =>
      row.forEach((weight, j) => expect(weight).toBeCloseTo(plain.generated[n]!.weights[head]![j]!, 4)),
    );
});

test.each([0.5, 1, 1.5])(
  "the stages of sampling at temperature %f are those of `candidates`",
  async (temperature) => {
    const made = await generationModel(model, { temperature });
    const ids = [...encodeText(text), ...made.generated.map(({ id }) => id)];
    for (const [n, { candidates: list, others, taken, draw }] of made.generated.entries()) {
      const logits = await model
        .apply(model.params, ids.slice(0, made.prompt.length + n), { last: 1 })
        .read();
      const stage = (sampling: object) =>
        new Map(candidates(logits, sampling).map(({ id, probability }) => [id, probability]));
      const own = [stage({ temperature: 1 }), stage({ temperature }), stage({ temperature, topP: 0.9 })];
      for (const one of list)
        [one.probability, one.tempered, one.kept].forEach((part, i) =>
          expect(part).toBeCloseTo(own[i]!.get(one.id) ?? 0, 5),
        );
      for (const name of ["probability", "tempered", "kept"] as const)
        expect(list.reduce((sum, one) => sum + one[name], others[name])).toBeCloseTo(1, 9);
      expect(list.filter(({ kept }) => kept > 0).length + others.keptCount).toBe(own[2]!.size);
      // The number drawn is that of the seed, and falls on the token that is taken.
      expect(draw).toBe(uniform([1], { seed: 5, first: n, dtype: "float64" }).data[0]);
      expect(list[taken]!.from).toBeLessThanOrEqual(draw!);
      expect(list[taken]!.to).toBeGreaterThan(draw!);
      expect(list[taken]!.to - list[taken]!.from).toBeCloseTo(list[taken]!.kept, 9);
    }
  },
);

test("passes and draft tokens are counted as `generate` counts them", async () => {
  for (let seed = 0; seed < 6; seed++) {
    const choices = { text: moo, seed, draft: "prompt-lookup", branches: "" } as const;
    const { generated: tokens } = await generationModel(model, choices);
    const { usage } = await generated(choices);
    const first = tokens.filter(({ pass }, i) => tokens[i - 1]?.pass !== pass);
    const drafted = first.reduce((sum, { draft }) => sum + draft.length, 0);
    const accepted = tokens.filter(({ text, draft }) => draft[0] === text).length;
    expect({ drafted, accepted }, `seed ${seed}`).toEqual({
      drafted: usage!["draftTokens"],
      accepted: usage!["acceptedTokens"],
    });
  }
});

test("bytes are those of the caches, and a window evicts all but the first and the last four tokens", async () => {
  const full = await generationModel(model, { branches: "" });
  const T = full.prompt.length;
  const cache = growingCache({ numLayers: 4 });
  model.apply(model.params, encodeText(text), { cache });
  expect(full.generated[0]!.cacheBytes).toBe(cache.bytes);
  expect(full.bytesPerToken * T).toBe(cache.bytes);

  const rolled = await generationModel(model, { cache: "rolling", branches: "" });
  const last = rolled.generated.at(-1)!;
  const kept = last.cache.flatMap((as, j) => (as === "evicted" ? [] : [j]));
  const length = last.cache.length;
  expect(kept).toEqual([0, length - 4, length - 3, length - 2, length - 1]);
  for (const row of last.weights)
    row.forEach((weight, j) => expect(weight > 0, `position ${j}`).toBe(kept.includes(j)));
  const ring = rollingCache({ numLayers: 4, windowSize: 4, keepFirst: 1 });
  model.apply(model.params, [1, 2, 3, 4, 5, 6, 7, 8], { cache: ring });
  expect(last.cacheBytes).toBe(ring.bytes);

  // Groups of 4 in int8 and a buffer of 4 floats, of which the last is in use.
  const small = await generationModel(model, { cache: "quantized", branches: "" });
  const codes = small.generated[4]!;
  expect(codes.cache).toEqual([...Array<string>(8).fill("int8"), "float32"]);
  const whole = caches.quantized();
  model.apply(model.params, [1, 2, 3, 4, 5, 6, 7, 8], { cache: whole });
  const unused = 3 * small.bytesPerToken;
  expect(codes.cacheBytes).toBe(whole.bytes - unused);
});

test("for an inexact cache the exact probabilities are given", async () => {
  const rolled = await generationModel(model, { cache: "rolling", branches: "" });
  const ids = [...encodeText(text), ...rolled.generated.map(({ id }) => id)];
  for (const [n, { candidates: list }] of rolled.generated.entries()) {
    const logits = await model
      .apply(model.params, ids.slice(0, rolled.prompt.length + n), { last: 1 })
      .read();
    const exact = new Map(candidates(logits, { temperature: 1 }).map((one) => [one.id, one.probability]));
    for (const one of list) expect(one.exact).toBeCloseTo(exact.get(one.id)!, 5);
  }
  // “cat” and “sat” are forgotten when “.” is read.
  const moved = rolled.generated[2]!.candidates.map((one) => Math.abs(one.probability - one.exact!));
  expect(Math.max(...moved)).toBeGreaterThan(0.3);
  const full = await generationModel(model);
  expect(full.generated[0]!.candidates[0]!.exact).toBeUndefined();
});

test("a branch has its pinned tokens and continues; another prompt has no such branch", async () => {
  const first = await generationModel(model, { branches: "" });
  const river = first.generated[0]!.candidates.find((one) => one.text === " river")!;
  const name = `${first.promptName}.${river.id}`;
  const made = await generationModel(model, { branches: name, branch: name });
  expect(made.branches).toHaveLength(2);
  expect(made.branch).toBe(1);
  expect(made.branches[1]).toMatchObject({ name, parent: 0, forkedAt: 0 });
  expect(made.generated[0]).toMatchObject({ id: river.id, pinned: true, draw: undefined });
  expect(made.branches[1]!.probability).toBeCloseTo(
    made.generated.reduce((all, one) => all * takenChance(one), 1),
    12,
  );
  expect(made.generated).toHaveLength(5);
  const other = await generationModel(model, { text: "The dog", branches: name, branch: name });
  expect(other.branches).toHaveLength(1);
  expect(other.branch).toBe(0);
});

test("branches with the same tokens are one branch; a fork continues for three tokens", async () => {
  const greedy = await generationModel(model, { temperature: 0 });
  expect(greedy.branches.map(({ name }) => name)).toEqual(["", "*.r2"]);
  const short = await generationModel(model, { tokens: 1 });
  expect(short.branches.map(({ tokens }) => tokens.length)).toEqual([1, 4, 4]);
});

test.each([
  [{ temperature: -1 }, /`temperature` is -1/],
  [{ topP: 0 }, /`topP` is 0/],
  [{ seed: 0.5 }, /`seed` is 0.5/],
  [{ tokens: 0 }, /`tokens` is 0/],
  [{ cache: "paged" }, /`cache`.*contiguous/],
  [{ draft: "yes" }, /`draft`.*none/],
  [{ text: 7 }, /`text`/],
  [{ temprature: 1 }, /temprature/],
])("options that the figure does not offer are refused: %o", async (choices, message) => {
  await expect(generationModel(model, choices as never)).rejects.toThrow(message);
});

test("invalid names of branches are ignored; a model without a tokenizer is refused; an aborted signal stops it", async () => {
  const { branches } = await generationModel(model, {
    branches: "x_*.r99999_*.1e3_*._.1_*.-1",
    branch: "*.r",
  });
  expect(branches).toHaveLength(1);
  await expect(generationModel({ ...model, tokenizer: undefined } as never)).rejects.toThrow(/`model`/);
  await expect(generationModel({} as never)).rejects.toThrow(/`model`/);
  await expect(generationModel(model, {}, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
});
