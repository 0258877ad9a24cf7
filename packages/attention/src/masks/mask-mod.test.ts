import type { Mask } from "@qkv/attention-contract";
import { randn } from "@qkv/tensor";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { causal } from "./causal.js";
import { chunked } from "./chunked.js";
import { dilated } from "./dilated.js";
import { documents } from "./documents.js";
import { keepFirst } from "./keep-first.js";
import { maskMod, type MaskRule } from "./mask-mod.js";
import { padding } from "./padding.js";
import { prefix } from "./prefix.js";
import { slidingWindow } from "./sliding-window.js";
import { strided } from "./strided.js";
import { rowsSeen } from "@qkv/test-support/rows-seen";

const ids = [0, 0, 0, 1, 1, 2, 2, 2, 2];
const lengths = [9, 4];

const rules: readonly [Mask, MaskRule][] = [
  [causal(), (_b, _h, q, k) => k <= q],
  [causal({ align: "top-left" }), (_b, _h, q, k) => k <= q - 4], // five queries, the last of nine positions
  [slidingWindow(3), (_b, _h, q, k) => k <= q && q - k < 3],
  [slidingWindow({ before: 2, after: 1 }), (_b, _h, q, k) => k - q <= 1 && q - k <= 2],
  [keepFirst(2), (_b, _h, _q, k) => k < 2],
  [prefix(6), (_b, _h, q, k) => k < 6 || k <= q],
  [padding(lengths), (b, _h, _q, k) => k < lengths[b]!],
  [documents(ids), (_b, _h, q, k) => ids[q] === ids[k]],
  [dilated(3, 2), (_b, _h, q, k) => [0, 2, 4].includes(q - k)],
  [strided(3), (_b, _h, q, k) => [0, 1, 2, 3, 6].includes(q - k)],
  [chunked(4), (_b, _h, q, k) => Math.floor(q / 4) === Math.floor(k / 4) && k <= q],
];

test.each(rules)("%o written as a predicate gives the same attention", (mask, rule) => {
  const [query, key, value] = [5, 9, 9].map((length, seed) => randn([2, 2, length, 3], { seed }));
  const of = (mask: Mask) => attention(query!, key!, value!, { mask }).data;
  expect(of(maskMod(rule))).toEqual(of(mask));
});

test("a predicate is called per batch index and head, unless perBatch and perHead are false", () => {
  const asked: string[] = [];
  const rule: MaskRule = (batch, head, query, key) => {
    asked.push([batch, head, query, key].join());
    return true;
  };
  const [query, key] = [randn([2, 2, 1, 3], { seed: 1 }), randn([2, 2, 2, 3], { seed: 2 })];
  attention(query, key, key, { mask: maskMod(rule) });
  expect(asked.sort()).toEqual(
    ["0,0", "0,1", "1,0", "1,1"].flatMap((place) => [`${place},1,0`, `${place},1,1`]),
  );
  asked.length = 0;
  attention(query, key, key, { mask: maskMod(rule, { perBatch: false, perHead: false }) });
  expect(asked).toEqual(["0,0,1,0", "0,0,1,1"]);
});

test("golden: a rule that differs between heads", () => {
  const mask = maskMod((_batch, head, query, key) => (head === 0 ? key <= query : key >= query));
  expect(rowsSeen(mask, 3, 3, 0, 0)).toEqual(["100", "110", "111"]);
  expect(rowsSeen(mask, 3, 3, 0, 1)).toEqual(["111", "011", "001"]);
});

test("the name is that of the function, and values that are not functions are refused", () => {
  expect(maskMod(() => true).name).toBe("maskMod(…)");
  expect(
    maskMod(function lookBack() {
      return true;
    }).name,
  ).toBe("lookBack");
  expect(maskMod(() => true, { name: "all" }).name).toBe("all");
  expect(() => maskMod(true as never)).toThrow(
    /maskMod: `rule` is true, expected a function.\nFix: write `maskMod\(/,
  );
});

test("a predicate that returns neither true nor false is refused: undefined would mask every key", () => {
  const x = randn([1, 1, 2, 3], { seed: 1 });
  for (const answer of [undefined, null, 1, "yes", () => true]) {
    expect(() => attention(x, x, x, { mask: maskMod((() => answer) as never) })).toThrow(
      /^maskMod: `rule` is .*, expected a function that returns true or false.\nFix: return a boolean in each branch/,
    );
  }
});
