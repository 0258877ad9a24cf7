import { expect, test } from "vitest";
import type { Control, Figure } from "./figure.js";
import { fromPermalink, toPermalink } from "./permalink.js";
import { player } from "./player.js";

type Choices = { token: number; mask: string; temperature: number; sentence: string; loud: boolean };
const initial: Choices = { token: 2, mask: "causal", temperature: 1, sentence: "the cat", loud: false };
const option = (value: string | number | boolean) => ({ value, label: String(value) });
const controls: Control<Choices>[] = [
  { kind: "choice", key: "token", label: "Token", options: [0, 1, 2].map(option) },
  { kind: "select", key: "mask", label: "Mask", options: ["causal", "none"].map(option) },
  { kind: "range", key: "temperature", label: "Temperature", min: 0.2, max: 3, step: 0.1 },
  { kind: "text", key: "sentence", label: "Sentence", maxLength: 8 },
  { kind: "choice", key: "loud", label: "Loud", options: [true, false].map(option) },
];
const step = (id: string) => ({ id, chapter: id, title: id, text: id, milliseconds: 1 });
const figure: Figure<number, Choices> = {
  name: "f",
  title: "F",
  caption: "F.",
  initial,
  steps: () => [step("one"), step("two")],
  scene: (_, __, ___, width) => ({ width, height: 1, marks: [], description: "" }),
  controls: () => controls,
  table: () => ({ columns: [], rows: [] }),
};
const { start, reduce } = player(figure);

test("the permalink of the initial state is empty", () => {
  expect(toPermalink(figure, start(0))).toBe("");
  expect(fromPermalink("", initial, controls)).toEqual({ choices: {} });
});

test("a permalink that was written is read back", () => {
  let state = start(0, { token: 1, mask: "none", temperature: 0.5, sentence: "a & b=ç", loud: true });
  state = reduce(state, { type: "seek", step: "one", progress: 0.25 });
  state = { ...state, focus: "scores:2:1" };
  expect(fromPermalink(toPermalink(figure, state), initial, controls)).toEqual({
    choices: state.choices,
    step: "one",
    progress: 0.25,
    focus: "scores:2:1",
  });
});

test.each([
  ["token=7"],
  ["token=NaN"],
  ["token="],
  ["mask=constructor"],
  ["temperature=900"],
  ["temperature="],
  ["at=7"],
  ["at=x"],
  ["__proto__=1"],
])("values that the figure does not offer are ignored: %s", (text) => {
  expect(fromPermalink(text, initial, controls)).toEqual({ choices: {} });
});

test("a text is cut to the `maxLength` of its control", () => {
  expect(fromPermalink("sentence=abcdefghijkl", initial, controls).choices).toEqual({ sentence: "abcdefgh" });
});
