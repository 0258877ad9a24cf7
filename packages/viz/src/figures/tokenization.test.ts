import { expect, test } from "vitest";
import { labelWidth } from "../picture.js";
import type { Scene } from "./mark.js";
import { player } from "./player.js";
import { figureSvg } from "./scene-svg.js";
import { tokenization } from "./tokenization.js";
import { byteSlots } from "./tokenization/byte-slots.js";
import { bytesEach } from "./tokenization/counts-panel.js";
import { mergeForest, rootsAfter } from "./tokenization/merge-forest.js";
import type { TokenizationChoices, TokenizationModel } from "./tokenization/model.js";

// "aab aab é" with the merges a+a, aa+b and ␣+aab.
const bytes = ["61", "61", "62", "20", "61", "61", "62", "20", "C3", "A9"];
const place = (start: number, middle: number, end: number) => ({ start, middle, end });
const model: TokenizationModel = {
  text: "aab aab é",
  characters: [..."aab␣aab␣é"].map((text) => ({ text, codePoint: "U+0061", bytes: text === "é" ? 2 : 1 })),
  bytes: bytes.map((hex, id) => ({ hex, id })),
  words: [0, 3, 7],
  merges: [
    {
      left: "a",
      right: "a",
      text: "aa",
      id: 256,
      rank: 1,
      places: [place(0, 1, 2), place(4, 5, 6)],
      tokens: 8,
    },
    {
      left: "aa",
      right: "b",
      text: "aab",
      id: 257,
      rank: 2,
      places: [place(0, 2, 3), place(4, 6, 7)],
      tokens: 6,
    },
    { left: "␣", right: "aab", text: "␣aab", id: 258, rank: 3, places: [place(3, 4, 7)], tokens: 5 },
  ],
  tokens: [
    { start: 0, end: 3, text: "aab", id: 257, part: false },
    { start: 3, end: 7, text: "␣aab", id: 258, part: false },
    { start: 7, end: 8, text: "␣", id: 7, part: false },
    { start: 8, end: 9, text: "C3", id: 8, part: true },
    { start: 9, end: 10, text: "A9", id: 9, part: true },
  ],
  vocabulary: { name: "english", size: 259, merges: 3, trainedOn: "English" },
  languages: [
    { name: "English", text: "aab", bytes: 3, tokens: 1, trained: true },
    { name: "Greek", text: "α", bytes: 2, tokens: 2, trained: false },
  ],
  patches: {
    entropies: [3, 1, 0.5, 0.4, 2.5, 1, 0.2, 0.1, 3.1, 3],
    starts: [0, 4, 8, 9],
    texts: ["aab␣", "aab␣", "C3", "A9"],
    madeBy: "an n-gram model of bytes",
  },
  offers: { vocabulary: [], byteModel: [], texts: [] },
};
const patches: TokenizationChoices = { ...tokenization.initial, view: "patches" };
const at = (
  id: string,
  progress = 1,
  choices = tokenization.initial,
  width = 1120,
  focus?: string,
): Scene => {
  const step = tokenization.steps(model, choices).findIndex((each) => each.id === id);
  return tokenization.scene(model, choices, { step, progress, focus }, width);
};
const mark = ({ marks }: Scene, key: string) => marks.find((each) => each.key === key);
const tokenTexts = ({ marks }: Scene) =>
  marks.filter(({ key }) => /^token:\d+:text$/.test(key)).map(({ text }) => text);

test("steps: characters, bytes, one for each merge, ids, languages; it opens on the last", () => {
  const ids = tokenization.steps(model, tokenization.initial).map(({ id }) => id);
  expect(ids).toEqual(["text", "bytes", "merge-1", "merge-2", "merge-3", "ids", "languages"]);
  expect(player(tokenization).start(model).step).toBe(6);
  expect(tokenization.steps(model, patches).map(({ id }) => id)).toEqual([
    "entropy",
    "threshold",
    "patches",
    "compare",
  ]);
});

test("after each merge there are as many tokens as it says, and at the end those of encode", () => {
  const singles = ["a", "a", "b", "␣", "a", "a", "b", "␣", "C3", "A9"];
  expect(tokenTexts(at("bytes"))).toEqual(singles);
  model.merges.forEach(({ tokens }, i) => expect(tokenTexts(at(`merge-${i + 1}`))).toHaveLength(tokens));
  expect(tokenTexts(at("merge-1"))).toEqual(["aa", "b", "␣", "aa", "b", "␣", "C3", "A9"]);
  for (const id of ["merge-3", "ids", "languages"])
    expect(tokenTexts(at(id))).toEqual(model.tokens.map(({ text }) => text));
  const roots = rootsAfter(bytes.length, mergeForest(model), 3);
  expect(roots.map(({ start, end }) => [start, end])).toEqual(
    model.tokens.map(({ start, end }) => [start, end]),
  );
});

test("a merge is below its children, and covers their bytes", () => {
  const scene = at("languages");
  const [bar, left, right] = [mark(scene, "merge:0:3")!, mark(scene, "merge:0:2")!, mark(scene, "byte:2")!];
  expect(bar.x).toBe(left.x);
  expect(bar.x + bar.width!).toBeCloseTo(right.x + right.width!, 9);
  expect(bar.y).toBeGreaterThan(left.y + left.height!);
  expect(left.y).toBeGreaterThan(right.y + right.height!);
});

test("a merge in progress: its children are highlighted, move down, and touch", () => {
  const [lit, low] = [at("merge-2", 0.2), at("merge-2", 0.9)];
  const left = (scene: Scene) => mark(scene, "joining:0:3:left")!;
  const gap = (scene: Scene) => mark(scene, "joining:0:3:right")!.x - left(scene).x - left(scene).width!;
  expect(left(lit).y).toBe(mark(lit, "merge:0:2")!.y);
  expect(left(low).y).toBeGreaterThan(left(lit).y);
  expect(gap(low)).toBeLessThan(gap(lit));
  expect(mark(low, "token:0")!.stroke).toBe("weight");
  expect(mark(at("merge-2"), "joining:0:3:left")).toBeUndefined();
});

test("bytes of a character that no merge has joined are hatched", () => {
  const hatched = at("ids")
    .marks.filter(({ hatch }) => hatch)
    .map(({ key }) => key);
  expect(hatched).toEqual(["token:8", "token:9"]);
  expect(tokenization.steps(model, tokenization.initial)[5]!.text).toContain("2 bytes of characters");
});

test("the focused token and its children keep their color", () => {
  const { marks } = at("ids", 1, tokenization.initial, 1120, "token:0:0");
  const pale = (key: string) => (marks.find((each) => each.key === key)!.opacity ?? 1) < 1;
  expect(["char:0", "byte:2", "merge:0:2", "merge:0:3", "token:0"].map(pale)).toEqual([
    false,
    false,
    false,
    false,
    false,
  ]);
  expect(["char:3", "merge:4:6", "token:3"].map(pale)).toEqual([true, true, true]);
});

test("a patch starts exactly at the bytes above the threshold", () => {
  const cuts = ({ marks }: Scene) => marks.filter(({ key }) => key.startsWith("cut:")).map(({ key }) => key);
  expect(cuts(at("entropy", 1, patches))).toEqual([]);
  expect(cuts(at("threshold", 0.01, patches))).toEqual([]);
  expect(cuts(at("threshold", 1, patches))).toEqual(["cut:4", "cut:8", "cut:9"]);
  const rise = { ...patches, rule: "rise", rise: 0.8 } as const;
  const rising = { ...model, patches: { ...model.patches!, starts: [0, 4, 8] } };
  const scene = tokenization.scene(rising, rise, { step: 3, progress: 1 }, 1120);
  expect(cuts(scene)).toEqual(["cut:4", "cut:8"]);
  expect(mark(scene, "patch:1")!.ariaLabel).toBe("patch 2, “aab␣”, bytes: 4");
});

test("a language's bar shows its sentence when it is pressed", () => {
  expect(tokenization.press!(model, tokenization.initial, "language:1:1")).toEqual({
    choices: { text: "α" },
  });
  expect(tokenization.press!(model, tokenization.initial, "token:0:0")).toBeUndefined();
});

test("words stay in one line, unless they are longer than one", () => {
  const text = { bytes: Array.from({ length: 40 }, (_, id) => ({ hex: "61", id })), words: [0, 10, 35] };
  const lines = (width: number) =>
    byteSlots(text, { x: 0, width }).lines.map(({ start, end }) => [start, end]);
  expect(lines(2000)).toEqual([[0, 40]]);
  expect(lines(22 * 30)).toEqual([
    [0, 10],
    [10, 40],
  ]);
  expect(lines(22 * 20)).toEqual([
    [0, 10],
    [10, 25],
    [25, 40],
  ]);
  expect(byteSlots(text, { x: 0, width: 22 * 20 }).place({ start: 28, end: 40 })).toMatchObject({ line: 2 });
});

test.each([320, 358, 700, 1120])("at %i pixels every letter is in the picture and has 11 px", (width) => {
  for (const choices of [tokenization.initial, patches])
    for (const [step] of tokenization.steps(model, choices).entries()) {
      const { marks, height } = tokenization.scene(model, choices, { step, progress: 0.8 }, width);
      expect(new Set(marks.map(({ key }) => key)).size).toBe(marks.length);
      for (const { x, y, text = "", size = 12, anchor } of marks.filter(({ kind }) => kind === "text")) {
        expect(size, text).toBeGreaterThanOrEqual(11);
        const wide = (labelWidth([text]) * size) / 12;
        const right = x + (anchor === "end" ? 0 : wide / (anchor === "middle" ? 2 : 1));
        expect(right, text).toBeLessThanOrEqual(width);
        expect(right - wide, text).toBeGreaterThanOrEqual(-1);
        expect(y, text).toBeLessThanOrEqual(height);
      }
    }
});

test("an empty text and one without merges are pictures too", () => {
  const empty: TokenizationModel = {
    ...model,
    text: "",
    characters: [],
    bytes: [],
    words: [],
    merges: [],
    tokens: [],
    patches: { ...model.patches!, entropies: [], starts: [], texts: [] },
  };
  for (const view of ["merges", "patches"] as const)
    expect(figureSvg(tokenization, empty, { choices: { view } })).toContain("<svg");
  expect(figureSvg(tokenization, empty)).toContain("Type a text.");
  expect(figureSvg(tokenization, { ...model, merges: [] })).toContain("no merge");
});

test("a rounded quotient has ≈", () => {
  expect([bytesEach(36, 14), bytesEach(36, 15), bytesEach(33, 33), bytesEach(0, 0)]).toEqual([
    "≈ 2.6 bytes each",
    "2.4 bytes each",
    "1 byte each",
    "0 bytes each",
  ]);
});

test("tables: the numbers of each step", () => {
  const rows = (id: string, choices = tokenization.initial) =>
    tokenization.table(
      model,
      choices,
      tokenization.steps(model, choices).findIndex((each) => each.id === id),
    ).rows;
  expect(rows("merge-1")[2]).toEqual([3, "␣", "aab", "␣aab", 258, 1, 5]);
  expect(rows("ids").map(([, , id]) => id)).toEqual([257, 258, 7, 8, 9]);
  expect(rows("threshold", patches)[4]).toEqual([5, "61", "2.500", "2.100"]);
  expect(rows("patches", patches)[1]).toEqual([2, "aab␣", 4]);
});
