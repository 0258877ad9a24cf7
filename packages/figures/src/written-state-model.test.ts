import { ArgumentError } from "@qkv/core";
import { gatedDeltaRule, linearAttention, mix } from "@qkv/attention";
import { full, tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { writtenStateModel } from "./written-state-model.js";

const close = (a: readonly number[], b: readonly number[]) =>
  a.forEach((x, i) => expect(x).toBeCloseTo(b[i]!, 5));
const choices = (["again", "alike", "full"] as const).flatMap((text) =>
  (["add", "delta"] as const).flatMap((rule) =>
    [1, 0.5].flatMap((beta) => [1, 0.8].map((gate) => ({ text, rule, beta, gate }))),
  ),
);

test.each(choices)("each step follows from the arithmetic of the figure: %o", (choice) => {
  const { tokens, channels, weights } = writtenStateModel(choice);
  const V = channels.length;
  tokens.forEach(({ isQuery, key, held, update, decayed, state, output, value }, t) => {
    const before = t === 0 ? state.data.length : 0;
    if (before) close([...(decayed.data as number[])], Array<number>(before).fill(0));
    else
      close(
        [...(decayed.data as number[])],
        [...(tokens[t - 1]!.state.data as number[])].map((x) => x * choice.gate),
      );
    const read = (from: ArrayLike<number>) =>
      channels.map((_, v) => key.reduce((sum, x, k) => sum + x * from[k * V + v]!, 0));
    close(held, read(decayed.data));
    close(output, read(state.data));
    const replaced = value.map((x, v) => choice.beta * (x - held[v]!));
    close(update, isQuery ? value.map(() => 0) : choice.rule === "add" ? value : replaced);
    close(
      [...(state.data as number[])],
      key.flatMap((x, k) => channels.map((_, v) => decayed.data[k * V + v]! + x * update[v]!)),
    );
    // The row of the map times the values is the output.
    const mixture = channels.map((_, v) =>
      tokens.reduce((sum, other, j) => sum + weights.data[t * tokens.length + j]! * other.value[v]!, 0),
    );
    close(output, mixture);
  });
});

test("outputs are those of the mixers", () => {
  for (const rule of ["add", "delta"] as const) {
    const { tokens } = writtenStateModel({ text: "full", rule });
    const T = tokens.length;
    const query = tensor([[tokens.map(({ key }) => [...key])]]);
    const key = tensor([[tokens.map(({ key, isQuery }) => key.map((x) => (isQuery ? 0 : x)))]]);
    const value = tensor([[tokens.map(({ value }) => [...value])]]);
    const gates = { decay: full([1, 1, T], 0), beta: full([1, 1, T], 1) };
    const { output } =
      rule === "add"
        ? mix(linearAttention(), { query, key, value }, { scale: 1 })
        : mix(gatedDeltaRule(), { query, key, value, ...gates }, { scale: 1 });
    close(
      tokens.flatMap((token) => [...token.output]),
      [...output.data],
    );
  }
});

test("a key that is stored again is read exactly after a delta write, and as a sum without", () => {
  const answer = (rule: "add" | "delta") =>
    writtenStateModel({ text: "again", rule }).tokens.find(({ text }) => text === "cup?")!.output;
  close(answer("delta"), [0, 0, 0, 1]);
  close(answer("add"), [1, 0, 0, 1]);
});

test("choices that the figure does not offer are refused", () => {
  expect(() => writtenStateModel({ rule: "erase" as never })).toThrow(ArgumentError);
  expect(() => writtenStateModel({ beta: 2 })).toThrow("writtenStateModel: `beta` is 2");
});
