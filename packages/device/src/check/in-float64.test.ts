import { expect, test } from "vitest";
import { referenceInFloat64 } from "./in-float64.js";
import type { AttentionInputs } from "./subject.js";

/** Two queries and two keys of size 1, whose scores are 0 and log 3. */
const attend = (mask: AttentionInputs["mask"]) => {
  const sizes = { H: 1, T: 2, S: 2, D: 1 };
  const numbers = { query: [1, 1], key: [0, Math.log(3)], value: [8, 4] };
  const [query, key, value] = Object.values(numbers).map((list) => Float32Array.from(list));
  const inputs = () => ({ ...sizes, query: query!, key: key!, value: value!, ...(mask && { mask }) });
  return referenceInFloat64({ kind: "attention", name: "by hand", finds: "", tolerance: 0, inputs });
};

test("golden: weights of 1/4 and 3/4, with a causal mask, and zeros for a query that sees no key", () => {
  const close = (list: readonly number[]) => list.map((x) => expect.closeTo(x, 6) as number);
  expect([...attend(undefined)]).toEqual(close([5, 5]));
  expect([...attend("causal")]).toEqual(close([8, 5]));
  expect([...attend(Uint8Array.of(0, 0, 0, 1))]).toEqual([0, 4]);
});
