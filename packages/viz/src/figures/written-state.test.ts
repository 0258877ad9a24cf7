import { expect, test } from "vitest";
import { labelWidth } from "../picture.js";
import { player } from "./player.js";
import { figureSvg } from "./scene-svg.js";
import { writtenState } from "./written-state.js";
import type { WrittenStateModel } from "./written-state/model.js";

// Red under a key, then blue under the same; then the key is asked for.
const state = (...data: number[]) => ({ data, shape: [2, 2] });
const model: WrittenStateModel = {
  channels: ["red", "blue"],
  weights: { data: [1, 0, 0, -0.5, 1, 0, 0, 1, 0], shape: [3, 3] },
  tokens: [
    {
      text: "cup:red",
      isQuery: false,
      key: [1, 0],
      value: [1, 0],
      decayed: state(0, 0, 0, 0),
      held: [0, 0],
      update: [1, 0],
      state: state(1, 0, 0, 0),
      output: [1, 0],
    },
    {
      text: "cup:blue",
      isQuery: false,
      key: [1, 0],
      value: [0, 1],
      decayed: state(1, 0, 0, 0),
      held: [1, 0],
      update: [-1, 1],
      state: state(0, 1, 0, 0),
      output: [0, 1],
    },
    {
      text: "cup?",
      isQuery: true,
      key: [1, 0],
      value: [0, 0],
      decayed: state(0, 1, 0, 0),
      held: [0, 1],
      update: [0, 0],
      state: state(0, 1, 0, 0),
      output: [0, 1],
    },
  ],
};
const at = (step: number, progress = 1, width = 1120) =>
  writtenState.scene(model, writtenState.initial, { step, progress }, width);
const mark = (scene: ReturnType<typeof at>, key: string) => scene.marks.find((one) => one.key === key)!;

test("the stored and the added value are drawn before the state changes", () => {
  const texts = (progress: number) =>
    ["state:0:0", "state:0:1"].map((key) => mark(at(1, progress), key).text);
  expect(texts(0)).toEqual(["1.00", "0.00"]);
  expect(texts(0.6)).toEqual(["1.00", "0.00"]);
  expect(texts(0.8)).toEqual(["0.50", "0.50"]);
  expect(texts(1)).toEqual(["0.00", "1.00"]);
  expect(mark(at(1), "row:update:0").text).toBe("−1.00");
  expect(mark(at(2), "row:output:1").ariaLabel).toBe("it reads, blue: 1.00");
});

test("the map has rows up to the current token, and a negative weight is gray with a minus", () => {
  expect(mark(at(1), "map:1:0")).toMatchObject({
    fill: "cost",
    text: "−",
    ariaLabel: "weight of cup:red for cup:blue: −0.50",
  });
  expect(mark(at(1), "map:0:1").hatch).toBe(1);
  expect(mark(at(0), "map:1:0")).toMatchObject({ fillOpacity: 0, ariaLabel: "cup:blue has not come yet" });
});

test("texts name the erased and the read values; a press on a token goes to its step", () => {
  const [, again, queryStep] = writtenState.steps(model, writtenState.initial);
  expect(again!.text).toContain("Under this key the state holds red 1.00.");
  expect(queryStep!.text).toContain("The query reads blue 1.00");
  expect(writtenState.steps(model, { ...writtenState.initial, rule: "add" })[1]!.text).toContain(
    "What was there stays",
  );
  expect(writtenState.press!(model, writtenState.initial, "token:1:0")).toEqual({ step: "token-2" });
  expect(writtenState.press!(model, writtenState.initial, "map:1:0")).toBeUndefined();
  expect(player(writtenState).start(model).step).toBe(2);
  expect(writtenState.table(model, writtenState.initial, 0).rows[2]).toEqual(["cup?", "0.000", "1.000"]);
  expect(figureSvg(writtenState, model, { step: "token-1" })).toContain("it now holds red 1.00.</desc>");
});

test.each([320, 358, 700, 1120])("at %i pixels letters have 11 px and stand in the picture", (width) => {
  for (const step of model.tokens.keys()) {
    const { marks, height } = at(step, 1, width);
    expect(new Set(marks.map(({ key }) => key)).size).toBe(marks.length);
    for (const { key, x, y, text = "", size = 12, anchor, kind } of marks) {
      if (text) expect(size, key).toBeGreaterThanOrEqual(11);
      if (kind !== "text") continue;
      const wide = (labelWidth([text]) * size) / 12;
      if (!key.startsWith("map:key"))
        expect(x + (anchor === "end" ? 0 : wide / (anchor === "middle" ? 2 : 1)), text).toBeLessThanOrEqual(
          width,
        );
      expect(x - (anchor === "end" ? wide : 0), text).toBeGreaterThanOrEqual(0);
      expect(y, text).toBeLessThanOrEqual(height);
    }
  }
});
