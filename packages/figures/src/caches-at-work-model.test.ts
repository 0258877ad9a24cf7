import { denseSegment, isPaged } from "@qkv/attention-contract";
import { tova } from "@qkv/attention";
import {
  evictingCache,
  growingCache,
  pagedCache,
  prefixCache,
  quantizedCache,
  rollingCache,
  staticCache,
  type KvCache,
  type PagedCache,
} from "@qkv/kv-cache";
import { bytesPerElement, type Storage } from "@qkv/tensor";
import {
  cachesAtWork,
  type CacheKind,
  type CacheMoment,
  type CachesAtWorkModel,
} from "@qkv/viz/figures/caches-at-work";
import { beforeAll, expect, test } from "vitest";
import { casesByTier } from "../../../scripts/tier.mjs";
import { cachesAtWorkModel } from "./caches-at-work-model.js";
import { tinyModel } from "./tiny-model.js";

type Model = Awaited<ReturnType<typeof tinyModel>>;
let model: Model;
let story: CachesAtWorkModel;
const prompt = "The cat sat on the mat. Then it";
const request = "The cat sat on the mat. The dog";
const kind = (id: string, of = story): CacheKind => of.kinds.find((one) => one.id === id)!;
const bits = (name: keyof CacheMoment, id: string) => kind(id).moments.map((moment) => moment[name]);

beforeAll(async () => {
  model = await tinyModel();
  story = await cachesAtWorkModel(model);
});

/** Runs the caches of `@qkv/kv-cache` through the same conversation, independently of the figure. */
async function byHand(make: (numLayers: number) => KvCache) {
  const encode = (text: string) => model.tokenizer!.encode(text, { addSpecialTokens: false });
  const idByText = new Map(Array.from({ length: model.config.vocabSize }, (_, id) => [text(id), id]));
  const caches: KvCache[] = [make(model.config.numLayers)];
  const after: { caches: KvCache[]; bytes: number; own: number; lengths: number[]; tables: number[][] }[] =
    [];
  const run = (cache: KvCache, ids: readonly number[]) =>
    model.apply(model.params, ids, { cache, last: 1 }).read();
  for (const { kind, sequence, lengths } of story.operations) {
    if (kind === "fork") caches[1] = caches[0]!.fork();
    if (kind === "prompt") await run(caches[0]!, encode(prompt));
    if (kind === "append") {
      const token = idByText.get(story.texts[sequence]![lengths[sequence]! - 1]!)!;
      await run(caches[sequence]!, [token]);
    }
    if (kind === "request") {
      caches[2] = caches[0]!.fork();
      caches[2].reset();
      await run(caches[2], encode(request));
    }
    after.push({
      caches: [...caches],
      bytes: cacheBytes(caches),
      own: caches[0]!.bytes,
      lengths: caches.map((cache) => cache.length),
      tables: caches.map((cache) => [...((cache as Partial<PagedCache>).table?.[0] ?? [])]),
    });
  }
  return after;
}

const text = (id: number) => model.tokenizer!.decode([id], { skipSpecialTokens: false });

/** Bytes of the buffers that caches read, each once. */
function cacheBytes(caches: readonly KvCache[]): number {
  const storages = new Set<Storage>();
  for (const cache of caches)
    for (let layer = 0; layer < cache.numLayers; layer++) {
      const { key, value } = cache.read(layer);
      for (const part of [...key, ...value])
        for (const x of isPaged(part) ? [part.data, part.scale] : [part]) if (x) storages.add(x.storage);
    }
  return [...storages].reduce((sum, { dtype, length }) => sum + length * bytesPerElement(dtype), 0);
}

const makers: [string, (numLayers: number) => KvCache][] = [
  ["growing", (numLayers) => growingCache({ numLayers })],
  ["static", (numLayers) => staticCache({ numLayers, maxLength: 16 })],
  ["rolling", (numLayers) => rollingCache({ numLayers, windowSize: 6, keepFirst: 1 })],
  ["paged", (numLayers) => pagedCache({ numLayers, pages: 12, pageLength: 4 })],
  ["prefix", (numLayers) => prefixCache({ numLayers, pages: 12, pageLength: 4 })],
  ["quantized", (numLayers) => quantizedCache({ numLayers, groupSize: 4, residualLength: 2 })],
];

test.each(makers)(
  "%s: bytes and lengths of each step are those of the package's own caches",
  async (id, make) => {
    const { moments } = kind(id);
    for (const [i, { caches, bytes, own, lengths }] of (await byHand(make)).entries()) {
      const moment = moments[i]!;
      expect(moment.bytes, `step ${i}`).toBe(bytes);
      expect(moment.sequences.map((own) => own?.stored.length)).toEqual([0, 1, 2].map((s) => lengths[s]));
      if (caches.length === 1) expect(moment.bytes).toBe(own);
      // Bytes of the regions add up to those of all buffers.
      expect(moment.regions.reduce((sum, region) => sum + region.bytes, 0)).toBeCloseTo(bytes, 6);
    }
  },
);

test("each slot holds the key of the token that is drawn in it, and evicted tokens have no slot", async () => {
  const exact = growingCache({ numLayers: model.config.numLayers });
  const ids = model.tokenizer!.encode(prompt, { addSpecialTokens: false });
  await model.apply(model.params, ids, { cache: exact }).read();
  const keys = denseSegment(exact.read(0).key[0]!, 1);
  const [, , , D] = keys.shape as [number, number, number, number];
  const keyRow = (position: number) => Array.from(keys.data.slice(position * D, (position + 1) * D));
  const cache = rollingCache({ numLayers: model.config.numLayers, windowSize: 6, keepFirst: 1 });
  await model.apply(model.params, ids, { cache }).read();
  const [part] = cache.read(0).key;
  if (!part || isPaged(part)) throw new Error("a ring buffer is one tensor");
  const buffer = part.device.array(part.storage);
  const { regions, sequences } = kind("rolling").moments[0]!;
  regions[0]!.slots.forEach((token, slot) => {
    expect(Array.from(buffer.slice(slot * D, (slot + 1) * D))).toEqual(keyRow(token!.position));
  });
  expect(sequences[0]!.stored.filter((form) => form !== "evicted")).toHaveLength(cache.stored);
});

test("page tables are those of pagedCache; a fork shares its pages until B copies the half-full one", async () => {
  const hand = await byHand(makers[3]![1]);
  kind("paged").moments.forEach(({ sequences }, i) => {
    expect(sequences.flatMap((own) => (own ? [own.blocks] : []))).toEqual(hand[i]!.tables);
  });
  const { moments } = kind("paged");
  expect(moments[3]!.sequences.map((own) => own?.blocks)).toEqual([[0, 1, 2], [0, 1, 2], undefined]);
  expect(moments[4]!.sequences.map((own) => own?.blocks)).toEqual([[0, 1, 2], [0, 1, 3], undefined]);
  expect(bits("copied", "paged")).toEqual([0, 0, 0, 0, 3, 0, 0, 0]);
  expect(moments[4]!.copiedBytes).toBe(3 * story.bytesPerToken);
  const copied = moments[4]!.regions[3]!.slots.map((token) => token?.from);
  expect(copied).toEqual(["0:2:0", "0:2:1", "0:2:2", undefined]);
});

test("the prefix tree matches only full pages, and matched tokens are not computed", async () => {
  const found = async (budget: "small" | "medium" | "large") => {
    const { moments } = kind("prefix", await cachesAtWorkModel(model, { budget, operations: "n" }));
    const { computed, sequences } = moments.at(-1)!;
    return [computed, sequences[2]!.reused];
  };
  // Seven tokens are the same: three pages of 2, one of 4, none of 8.
  expect(await found("small")).toEqual([3, 6]);
  expect(await found("medium")).toEqual([5, 4]);
  expect(await found("large")).toEqual([9, 0]);
  expect(bits("computed", "paged").at(-1)).toBe(9);
});

test("a growing cache doubles and copies; a static one never grows; both copy all for a fork that writes", () => {
  expect(bits("copied", "growing")).toEqual([0, 9, 0, 0, 11, 0, 0, 0]);
  expect(bits("copied", "static")).toEqual([0, 0, 0, 0, 11, 0, 0, 0]);
  const perToken = story.bytesPerToken;
  expect(perToken).toBe(4 * 2 * 2 * 32 * 4);
  expect(bits("bytes", "growing")).toEqual([9, 18, 18, 18, 36, 36, 36, 45].map((n) => n * perToken));
  expect(bits("bytes", "static")).toEqual([16, 16, 16, 16, 32, 32, 32, 48].map((n) => n * perToken));
});

test("quantized keys: the error of each number is at most half its scale, and codes are those of quantizedCache", async () => {
  const { rounded, largestError } = kind("quantized");
  expect(largestError).toBeGreaterThan(0.4);
  expect(largestError).toBeLessThanOrEqual(0.5001);
  for (const { exact, codes, scales } of Object.values(rounded))
    codes.forEach((code, d) => {
      expect(Math.abs(code * scales[d]! - exact[d]!)).toBeLessThanOrEqual(0.5001 * scales[d]!);
    });
  const [a] = (await byHand(makers[5]![1])).at(-1)!.caches;
  const blocks = a!.read(0).key.find((part) => isPaged(part))!;
  const codes = blocks.data.data.slice(32, 40); // token 1, KV head 0, the first eight numbers
  expect(rounded["0:1"]!.codes).toEqual(Array.from(codes));
});

test("exact caches give the logits of a growing cache bit for bit; for others the difference is reported", () => {
  for (const id of ["growing", "static", "paged", "prefix"])
    for (const { next } of kind(id).moments) expect(next?.difference ?? 0).toBe(0);
  const moved = (id: string) => kind(id).moments.map(({ next }) => next?.difference ?? 0);
  expect(Math.max(...moved("quantized"))).toBeLessThan(0.01);
  expect(Math.max(...moved("rolling"))).toBeGreaterThan(0.1);
  expect(moved("rolling")[0]).toBe(0); // a prompt is read from its own tensors
});

test("an evicting cache keeps its budget: the tokens of layer 0 are those of the package's own cache", async () => {
  const make = (numLayers: number) => evictingCache({ budget: 6, score: tova(), keepFirst: 1, numLayers });
  const { moments } = kind("evicting");
  const hand = await byHand(make);
  expect(moments.map(({ bytes }) => bytes)).toEqual(hand.map(({ bytes }) => bytes));
  const kept = moments.map(({ sequences }) =>
    sequences.map((own) => own?.stored.flatMap((form, p) => (form === "evicted" ? [] : [p]))),
  );
  for (const own of kept.flat()) expect(own?.length ?? 6).toBe(6);
  hand.at(-1)!.caches.forEach((cache, s) => {
    const held = Array.from(cache.read(0).positions as Int32Array).filter((position) => position >= 0);
    expect(kept.at(-1)![s]).toEqual(held.sort((a, b) => a - b));
    expect(held).toContain(0);
  });
  const { text } = cachesAtWork.steps(story, { ...cachesAtWork.initial, kind: "evicting" }).at(-1)!;
  expect(text).toContain("“sat”, “on” and “The” are not kept: they are forgotten.");
  // Its choice is not that of a window: some token before the last five stays.
  const { stored } = moments.at(-1)!.sequences[0]!;
  expect(stored.slice(1, -5).some((form) => form !== "evicted")).toBe(true);
});

test("a free slot among the tokens of an evicting cache is drawn as free, at every step", () => {
  const choices = { ...cachesAtWork.initial, kind: "evicting" };
  kind("evicting").moments.forEach(({ regions }, step) => {
    const slots = regions.flatMap((region) => region.slots);
    for (const token of slots) expect(token?.position ?? 0).toBeGreaterThanOrEqual(0);
    const { marks } = cachesAtWork.scene(story, choices, { step, progress: 1 }, 1120);
    const free = marks.filter(({ ariaLabel }) => /^slot \d+ of .*: free$/.test(ariaLabel ?? ""));
    expect(free.length).toBe(slots.filter((token) => !token).length);
  });
});

test("latents: 80 numbers a token in place of 128, and a fork shares them until one side writes", () => {
  const { moments, weights } = kind("latent");
  expect(weights).toBe("random");
  const perToken = (story.bytesPerToken * 80) / 128;
  expect(moments.map(({ bytes }) => bytes / perToken)).toEqual(
    kind("growing").moments.map(({ bytes }) => bytes / story.bytesPerToken),
  );
  expect(moments[3]!.regions.map(({ holders }) => holders)).toEqual([[0, 1]]);
  expect(moments[4]!.regions.map(({ holders }) => holders)).toEqual([[0], [1]]);
  for (const { sequences } of moments)
    for (const own of sequences) expect(own?.stored.every((form) => form === "latent") ?? true).toBe(true);
  expect(moments.every(({ next }) => next === undefined)).toBe(true);
});

test("a state has one size: 4 matrices of 16 × 16 a layer and sequence, whatever the length", () => {
  const { moments } = kind("state");
  const state = story.numLayers * 4 * 16 * 16 * 4;
  // A alone, then A and B share one, B's own once it writes, and C's.
  expect(moments.map(({ bytes }) => bytes / state)).toEqual([1, 1, 1, 1, 2, 2, 2, 3]);
  expect(moments[0]!.regions[0]!.span).toBe(8);
  expect(moments[3]!.regions.map(({ holders }) => holders)).toEqual([[0, 1]]);
  expect(moments.map(({ computed }) => computed)).toEqual(
    kind("growing").moments.map(({ computed }) => computed),
  );
});

test("attention of the last token adds up to 1, over all its tokens", () => {
  story.operations.forEach(({ kind, sequence, lengths }, i) => {
    const weights = story.attention[i]!;
    if (kind === "fork") return expect(weights).toEqual([]);
    expect(weights).toHaveLength(lengths[sequence]!);
    expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
  });
});

test("a full cache refuses a token with its own message, and the other caches continue", async () => {
  const small = await cachesAtWorkModel(model, { budget: "small", operations: "aaaaa" });
  const { moments } = kind("static", small);
  expect(moments.map(({ refusal }) => refusal !== undefined)).toEqual([
    false,
    false,
    false,
    false,
    true,
    true,
  ]);
  expect(moments[4]!.refusal).toMatch(/tokens up to place 13.*at most maxLength = 12 tokens in all/);
  expect(moments[5]!.sequences[0]!.stored).toHaveLength(12);
  expect(kind("growing", small).moments[5]!.sequences[0]!.stored).toHaveLength(14);
});

test("every offer of a control is one that the model takes; others are refused by name", async () => {
  for (const control of cachesAtWork.controls(story, cachesAtWork.initial)) {
    if (!("options" in control)) continue;
    const last = control.options.at(-1);
    for (const { value } of casesByTier<{ value: unknown }>(control.options, (option) => option === last))
      expect((await cachesAtWorkModel(model, { operations: "", [control.key]: value })).kinds).toHaveLength(
        story.kinds.length,
      );
  }
  const refused = (choices: object) => expect(cachesAtWorkModel(model, choices)).rejects;
  await refused({ kind: "paper" }).toThrow(/cachesAtWorkModel: `kind` is "paper"/);
  await refused({ operations: "ax" }).toThrow(/`operations` is "ax", expected letters a, b, c, f and n/);
  await refused({ operations: "b" }).toThrow(/expected "b" after "f"/);
  await refused({ operations: "ff" }).toThrow(/expected "f" once/);
  await refused({ operations: "a".repeat(25) }).toThrow(/at most 24 letters/);
});

test("an aborted signal stops the computation", async () => {
  await expect(cachesAtWorkModel(model, {}, { signal: AbortSignal.abort() })).rejects.toThrow();
});
