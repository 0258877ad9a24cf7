import type { Mask } from "@qkv/attention-contract";
import { randn, tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { attention, attentionWeights } from "./attention.js";
import { defineMask } from "./mask.js";
import { and } from "./masks/and.js";
import { causal } from "./masks/causal.js";
import { not } from "./masks/not.js";

const x = randn([2, 2, 3, 4], { seed: 1 });

test("a rule is called with absolute positions, batch and head", () => {
  const asked = new Set<string>();
  const mask = defineMask({
    name: "asks",
    perBatch: true,
    perHead: true,
    sees: (query, key, batch, head) => {
      asked.add([query, key, batch, head].join());
      return true;
    },
  });
  const query = randn([2, 2, 1, 4], { seed: 2 });
  attention(query, { key: [x], value: [x], positions: { start: 7 } }, { mask });
  // One query: the last of 10 positions.
  const places = [7, 8, 9].flatMap((key) => [0, 1].flatMap((b) => [0, 1].map((h) => [9, key, b, h].join())));
  expect([...asked].sort()).toEqual(places.sort());
});

test('`bind` receives the lengths, and a tile of class "none" is skipped without calling `sees`', () => {
  const firstHalf = defineMask({
    name: "firstHalf",
    bind: ({ keyLength }) => ({ sees: (_query, key) => key < keyLength / 2 }),
  });
  const seen = attentionWeights(x, randn([2, 2, 4, 4], { seed: 2 }), { mask: firstHalf }).data;
  expect([...seen.subarray(0, 4)].map((weight) => weight > 0)).toEqual([true, true, false, false]);

  const none = defineMask({ name: "none", sees: () => true, tile: () => "none" });
  expect(attention(x, x, x, { mask: none }).data.every((number) => number === 0)).toBe(true);
});

test('a mask without a tile rule classifies every tile as "some"', () => {
  const mask = defineMask({ name: "own", sees: () => true });
  const one = { first: 0, last: 0 };
  expect(mask.bind({ queryLength: 1, keyLength: 1 }).tile(one, one, 0, 0)).toBe("some");
  expect([mask.name, mask.perBatch, mask.perHead]).toEqual(["own", false, false]);
});

test("values that are not masks are refused, with the fix", () => {
  for (const wrong of [causal, tensor([[true]]), "causal", { name: "causal()", bind: () => ({}) }]) {
    expect(() => attention(x, x, x, { mask: wrong as never })).toThrow(
      /attention: `mask` is .*, expected a mask such as causal\(\).*\nFix: call the mask's function \(`causal\(\)`, not `causal`\); wrap a bool tensor with `maskTensor`/,
    );
  }
});

test("a rule that returns neither true nor false is refused, by itself and in combined masks", () => {
  const forgets = defineMask({ name: "forgets", sees: (() => undefined) as never });
  const vague = defineMask({ name: "vague", sees: () => true, tile: (() => true) as never });
  for (const wrap of [(mask: Mask) => mask, (mask: Mask) => and(causal(), mask), not]) {
    expect(() => attention(x, x, x, { mask: wrap(forgets) })).toThrow(
      /^defineMask: `sees of forgets` is undefined, expected an answer of true or false.\nFix: return it/,
    );
    expect(() => attention(x, x, x, { mask: wrap(vague) })).toThrow(
      /^defineMask: `tile of vague` is true, expected an answer of "none", "some" or "all"/,
    );
  }
});
