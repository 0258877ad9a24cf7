import { lensSession, type LayerPrediction, type LogitPartsAnswer } from "@qkv/lens/session";
import { modelTiny } from "@qkv/model-tiny";
import { load } from "@qkv/transformer";
import { expect, test } from "vitest";
import { addedBy, decision, withoutLayer } from "./decision";

const lensOf = (...seen: (readonly [probability: number, rank: number])[]): LayerPrediction[] =>
  seen.map(([probability, rank], i) => ({
    ...{ layer: i - 1, position: 3, top: [] },
    watched: [{ id: 7, text: "mat", probability, rank }],
  }));

const part = (name: string, value: number, layer?: number): LogitPartsAnswer["parts"][number] => ({
  ...{ name, value, kind: name.includes("heads") ? "head" : "feedForward" },
  ...(layer !== undefined && { layer }),
});

test("the answer is first from the layer on after which it stays so, and rises where its probability gains most", () => {
  const { from, rise } = decision(lensOf([0.1, 4], [0.5, 1], [0.4, 2], [0.6, 1], [0.9, 1]), { parts: [] })!;
  expect(from).toBe(2);
  // From 0.1 to 0.5: that it was second once more does not matter to the rise.
  expect(rise).toEqual({ layer: 0, before: 0.1, after: 0.5 });
  expect(decision(lensOf([0.9, 1], [0.8, 1]), { parts: [] })).toMatchObject({ from: -1, rise: undefined });
});

test("heads and biases of a layer are its attention; what no layer adds is told apart", () => {
  const parts = [
    part("layers.0.heads.1", 0.5, 0),
    part("layers.0.attention.bias", 0.25, 0),
    part("layers.0.feedForward", -2, 0),
    part("layers.1.heads.0", 0.5, 1),
    part("embedding", 3),
  ];
  const { effects, largest, others } = decision(lensOf([0.1, 4], [0.2, 2], [0.3, 1]), { parts })!;
  expect(effects.map(({ attention, feedForward }) => [attention, feedForward])).toEqual([
    [0, 0],
    [0.75, -2],
    [0.5, 0],
  ]);
  expect(largest).toEqual({ layer: 0, part: "attention", value: 0.75 });
  expect(others).toBe(3);
});

test("the decider is the layer whose contributions sum to the most", () => {
  const lens = lensOf([0.1, 4], [0.2, 2], [0.3, 1]);
  // The largest part is that of layer 0, whose sum is less.
  const parts = [
    part("layers.0.heads.1", 2, 0),
    part("layers.0.feedForward", -1.5, 0),
    part("layers.1.heads.0", 0.75, 1),
  ];
  const { decider, largest } = decision(lens, { parts })!;
  expect([decider!.layer, addedBy(decider!), largest!.layer]).toEqual([1, 0.75, 0]);
  expect(decision(lens, { parts: [part("layers.0.feedForward", -1, 0)] })!.decider).toBeUndefined();
});

test("without a layer the answer is kept, changed to another one, or lost", () => {
  const token = (id: number, probability: number) => ({ id, text: String(id), probability, rank: 1 });
  const answer = token(7, 0.2);
  expect(withoutLayer(answer, token(7, 0.01), token(7, 0.01))).toBe("kept");
  expect(withoutLayer(answer, token(8, 0.3), token(7, 0.021))).toBe("changed");
  expect(withoutLayer(answer, token(8, 0.3), token(7, 0.019))).toBe("lost");
});

test("of the small model, contributions and others sum to the difference of the logits", async () => {
  const session = lensSession(await load(await modelTiny()));
  const text = "The cat sat on the mat. The cat sat on the";
  const { next, tokens } = await session.run({ text });
  const [token, minus] = [next[0]!.id, next[1]!.id];
  const positions = [tokens.length - 1];
  const lens = await session.logitLens({ text, positions, tokens: [token, minus] });
  const parts = await session.logitParts({ text, token, minus });
  const { effects, others, from } = decision(lens, parts)!;
  const sum = effects.reduce((sum, { attention, feedForward }) => sum + attention + feedForward, others);
  expect(sum).toBeCloseTo(parts.logit, 3);
  expect(effects.at(-1)).toMatchObject({ layer: 3, rank: 1 });
  expect(effects.slice(from + 1).every(({ rank }) => rank === 1)).toBe(true);
});
