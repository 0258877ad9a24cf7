import { randn, zeros, type Tensor } from "@qkv/tensor";
import { expect, expectTypeOf, test } from "vitest";
import { callSizes, callTensors, assertExhaustive, mapCall, type AttentionCall } from "./attention-call.js";
import { expression, lookup } from "./expressions/expression.js";
import { tilePlan } from "./tile-plan.js";

const [B, H, Hkv, T, D, Dv] = [2, 4, 2, 3, 8, 6];
const query = zeros([B, H, T, D]);
const pages = {
  data: zeros([3, Hkv, 4, D], { dtype: "int8" }),
  scale: randn([3, Hkv, 1, D], { seed: 1 }),
  table: Int32Array.of(0, 1, 1, 2),
  blockLength: 4,
  length: Int32Array.of(5, 7),
};
const tail = zeros([B, Hkv, 2, D]);
const values = [zeros([B, Hkv, 7, Dv]), zeros([B, Hkv, 2, Dv])];
const slopes = randn([H], { seed: 2 });
const rates = randn([H], { seed: 3 });
const sinks = randn([H], { seed: 4 });
const keyPositions = [Int32Array.from({ length: 9 }, (_, s) => s)];
const call: AttentionCall = {
  query,
  keyValues: { key: [pages, tail], value: values, positions: { start: 0 } },
  firstQuery: 6,
  scale: 0.5,
  softcap: 3,
  sinks,
  plan: tilePlan(undefined, { batches: B, heads: H, queries: T, firstQuery: 6, keyPositions }, false, false),
  scoreMod: expression((score, at) => score.mul(lookup(slopes, at.head))),
  weightMod: expression((weight, at) => weight.mul(lookup(rates, at.head))),
  traces: ["weights"],
};

test("callTensors returns each tensor of a call once, including scales, tables and sinks", () => {
  const all = [query, pages.data, pages.scale, tail, ...values, slopes, rates, sinks];
  const found = callTensors(call);
  expect(found).toHaveLength(all.length);
  expect(new Set(found)).toEqual(new Set(all));
});

test("mapCall replaces each tensor by f(tensor), and leaves the other fields unchanged", () => {
  const names = new Map(callTensors(call).map((x, i) => [x, { i }]));
  const mapped = mapCall(call, (x) => names.get(x)!);
  const back = mapCall(mapped, ({ i }) => callTensors(call)[i]!);
  expect(back).toEqual(call);
  expect(callTensors(mapped).map(({ i }) => i)).toEqual([...names.values()].map(({ i }) => i));
});

test("golden: callSizes, with keys partly in pages", () => {
  expect(callSizes(call)).toEqual({ B, H, Hkv, T, S: 9, D, Dv, group: 2 });
});

// Checked by the compiler only; nothing is run.
test("types: a kernel that does not read every field of the call does not compile", () => {
  type Left<Grown> = Omit<Grown, keyof AttentionCall>;
  const kernel = (
    none: Left<AttentionCall>,
    one: Left<AttentionCall & { readonly window: number }>,
    perhaps: Left<AttentionCall & { readonly window?: Tensor }>,
  ) => {
    assertExhaustive(none);
    // @ts-expect-error the field `window` is not used
    assertExhaustive(one);
    // @ts-expect-error nor is an optional field
    assertExhaustive(perhaps);
  };
  expectTypeOf(kernel).returns.toBeVoid();
  expectTypeOf(mapCall<Tensor, number>).returns.toEqualTypeOf<AttentionCall<number>>();
});
