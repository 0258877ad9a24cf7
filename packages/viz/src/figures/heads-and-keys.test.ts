import { expect, test } from "vitest";
import { labelWidth } from "../picture.js";
import type { Scene } from "./mark.js";
import { player } from "./player.js";
import { figureSvg } from "./scene-svg.js";
import { bytesText, timeText } from "./bytes-text.js";
import { cacheGrowth } from "./heads-and-keys/cache-growth.js";
import { headsAndKeys } from "./heads-and-keys.js";
import type { HeadsAndKeysModel, HeadsPart } from "./heads-and-keys/model.js";
import { kvHeadIndex } from "./heads-and-keys/panel.js";

const words = ["the", "cat", "sat", "on"];
const lengths = [1, 2, 3, 4, 8, 16];
const [numHeads, headDim, numLayers] = [8, 4, 2];
const heads: readonly HeadsPart[] = [
  { name: "key", size: headDim },
  { name: "value", size: headDim },
];
const latent: readonly HeadsPart[] = [
  { name: "latent", size: 10 },
  { name: "rotary key", size: 2 },
];
const kind = (id: string, numKvHeads: number, parts = heads) => {
  const numbers = numKvHeads * parts.reduce((sum, { size }) => sum + size, 0);
  const bytesPerToken = numbers * 2 * numLayers;
  return {
    id,
    name: id.toUpperCase(),
    title: id,
    numKvHeads,
    parts,
    bytesPerToken,
    bytes: lengths.map((length) => length * bytesPerToken),
  };
};
const model: HeadsAndKeysModel = {
  numHeads,
  headDim,
  numLayers,
  bytesPerNumber: 2,
  words,
  lengths,
  kinds: [kind("mha", 8), kind("gqa", 2), kind("mqa", 1), kind("mla", 1, latent)],
  time: { kind: "estimate", machine: "H100 SXM", bytesPerSecond: 3350e9 },
  offers: { model: [], numHeads: [], numKvHeads: [], time: [] },
};
const at = (step: number, progress = 1, width = 1120, focus?: string): Scene =>
  headsAndKeys.scene(model, headsAndKeys.initial, { step, progress, focus }, width);
const text = ({ marks }: Scene, key: string) => marks.find((mark) => mark.key === key)?.text;
const keys = ({ marks }: Scene, start: string) =>
  marks.filter(({ key }) => key.startsWith(start)).map(({ key }) => key);

test("a step for each length: one token, then twice as many", () => {
  const steps = headsAndKeys.steps(model, headsAndKeys.initial);
  expect(steps.map(({ id }) => id)).toEqual(lengths.map((length) => `tokens-${length}`));
  expect(new Set(steps.map(({ chapter }) => chapter))).toEqual(new Set(["Token by token", "Doubling"]));
  expect(steps[1]).toMatchObject({ title: "Token 2: “cat”" });
  expect(steps[1]!.text).toContain("MHA reads 512 B, GQA reads 128 B, MQA reads 64 B and MLA reads 96 B.");
});

test("each query head has a wire to the KV head of its group, and each KV head a key and a value", () => {
  const scene = at(3);
  for (const { id, numKvHeads } of model.kinds) {
    expect(keys(scene, `${id}:wire:`)).toHaveLength(numHeads);
    for (const part of id === "mla" ? ["latent-key", "latent-value", "rotary key"] : ["key", "value"])
      expect(keys(scene, `${id}:${part}:`)).toHaveLength(numKvHeads);
  }
  expect(scene.marks.find(({ key }) => key === "gqa:query:5")!.ariaLabel).toBe(
    "GQA, query head 5: KV head 1, shared with heads 4, 6 and 7",
  );
  expect([0, 3, 4, 7].map((query) => kvHeadIndex(query, 8, 2))).toEqual([0, 0, 1, 1]);
});

test("the bytes under a panel are those of the model, and multiply out as printed", () => {
  for (const [step, tokens] of lengths.entries()) {
    const scene = at(step);
    for (const { id, numKvHeads, bytes, bytesPerToken } of model.kinds) {
      const numbers = id === "mla" ? "(10 + 2)" : `2 × ${numKvHeads} × 4`;
      expect(text(scene, `${id}:bytes`)).toBe(bytesText(bytes[step]!));
      expect(text(scene, `${id}:line:0`)).toBe(`${numbers} × 2 B × 2 layers`);
      expect(text(scene, `${id}:line:1`)).toBe(`= ${bytesPerToken} B per token`);
      expect(text(scene, `${id}:line:2`)).toMatch(
        new RegExp(`^× ${tokens} tokens? = ${bytes[step]!.toLocaleString("en-US")} B$`),
      );
    }
  }
});

test("a model of one layer has “1 layer”", () => {
  const scene = headsAndKeys.scene(
    { ...model, numLayers: 1 },
    headsAndKeys.initial,
    { step: 5, progress: 1, focus: undefined },
    1120,
  );
  expect(text(scene, "mha:line:0")).toMatch(/× 1 layer$/);
  expect(scene.description).toContain("in 1 layer.");
});

test("areas are in proportion to bytes", () => {
  const cellArea = (id: string) =>
    at(5)
      .marks.filter(({ key }) => key.startsWith(`${id}:row:`))
      .flatMap(({ d = "" }) => [...d.matchAll(/h([\d.]+)v([\d.]+)/g)])
      .reduce((sum, [, width, height]) => sum + Number(width) * Number(height), 0);
  expect(cellArea("mha") / cellArea("gqa")).toBeCloseTo(4, 5);
  expect(cellArea("gqa") / cellArea("mqa")).toBeCloseTo(2, 5);
  // The gap beside a vector is as wide beside a latent, so that its area is a little larger than its bytes.
  expect(cellArea("mla") / cellArea("mqa")).toBeGreaterThanOrEqual(12 / 8);
  expect(cellArea("mla") / cellArea("mqa")).toBeLessThan(1.1 * (12 / 8));
});

test("a step writes, then reads; fewer bytes take less time", () => {
  expect(cacheGrowth(lengths, 4, 2, 0)).toMatchObject({ tokens: 2, rows: 2, drop: 0 });
  expect(cacheGrowth(lengths, 4, 2, 0.6)).toMatchObject({ tokens: 3, rows: 3 });
  expect(cacheGrowth(lengths, 4, 2, 1)).toEqual({ tokens: 3, rows: 3, rowScale: 1, tokensPerRow: 1 });
  const doubling = cacheGrowth(lengths, 4, 5, 0.3);
  expect(doubling.tokens).toBeGreaterThan(8);
  expect(doubling.tokens).toBeLessThan(16);
  expect(cacheGrowth(lengths, 4, 5, 1)).toMatchObject({ tokens: 16, rows: 4, tokensPerRow: 4 });
  const halfway = at(3, 0.6);
  const faded = (id: string) =>
    halfway.marks.some(({ key, opacity = 1 }) => key.startsWith(`${id}:row:`) && opacity < 1);
  expect([faded("mha"), faded("mqa")]).toEqual([true, false]);
});

test("a focused cell highlights its heads, in every panel for a query head", () => {
  const dark = (scene: Scene, start: string) =>
    scene.marks.filter(({ key, opacity = 1 }) => key.startsWith(start) && opacity === 1).length;
  const query = at(3, 1, 1120, "gqa:0:5");
  const ids = ["mha", "gqa", "mqa", "mla"];
  expect(ids.map((id) => dark(query, `${id}:query:`))).toEqual([1, 1, 1, 1]);
  const group = at(3, 1, 1120, "gqa:1:1");
  expect(ids.map((id) => dark(group, `${id}:query:`))).toEqual([8, 4, 8, 8]);
});

test.each([320, 358, 700, 1000, 1120])(
  "at %i pixels every letter is in the picture and has 11 px",
  (width) => {
    for (const step of [0, 3, 5]) {
      const { marks, height } = at(step, 1, width);
      expect(new Set(marks.map(({ key }) => key)).size).toBe(marks.length);
      for (const { x, y, text = "", size = 12, anchor, font } of marks.filter(
        ({ kind }) => kind === "text",
      )) {
        expect(size, text).toBeGreaterThanOrEqual(11);
        const wide = font === "mono" ? 7.25 * text.length : (labelWidth([text]) * size) / 12;
        expect(x + (anchor === "end" ? 0 : wide / (anchor === "middle" ? 2 : 1)), text).toBeLessThanOrEqual(
          width,
        );
        expect(y, text).toBeLessThanOrEqual(height);
      }
    }
  },
);

test("the initial step has the longest cache; the table has the same numbers", () => {
  const { start } = player(headsAndKeys);
  expect(start(model).step).toBe(lengths.length - 1);
  expect(figureSvg(headsAndKeys, model, { width: 358 })).toContain("MHA now");
  const { columns, rows } = headsAndKeys.table(model, headsAndKeys.initial, 3);
  expect(columns[3]).toBe("bytes at 4 tokens");
  expect(rows[1]!.slice(0, 5)).toEqual(["GQA", 2, 64, 256, 1024]);
});

test("a measured time is labeled, and rounded to the resolution of its clock", () => {
  const time = {
    kind: "measured",
    device: "WebAssembly",
    tokens: 2048,
    timeMs: [1.26, 0.41, 0.04],
    resolutionMs: 0.1,
  } as const;
  const measured = headsAndKeys.scene(
    { ...model, time },
    headsAndKeys.initial,
    { step: 5, progress: 1 },
    1120,
  );
  expect(text(measured, "mha:time")).toBe("1.3 ms per token and layer, measured");
  expect(text(measured, "mqa:time")).toBe("< 100 µs per token and layer, measured");
  expect(text(measured, "time:0")).toContain("Measured on your device just now");
  expect(text(at(5), "time:0")).toContain("It is not measured");
});

test("sizes and times have three digits and a unit", () => {
  expect([0, 1023, 1024, 144 * 1024, 2 ** 36].map(bytesText)).toEqual([
    "0 B",
    "1,023 B",
    "1 KiB",
    "144 KiB",
    "64 GiB",
  ]);
  expect([2, 0.0205, 641e-6, 44e-9].map(timeText)).toEqual(["2 s", "20.5 ms", "641 µs", "44 ns"]);
});
