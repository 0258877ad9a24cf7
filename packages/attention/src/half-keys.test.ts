import { denseSegment, type KeyValues } from "@qkv/attention-contract";
import { cast, grad, js, randn, sum, tensor, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { attention, causal, plainAttention } from "./index.js";

const query = randn([1, 4, 3, 8], { seed: 1 });
const [key, value] = [2, 3].map((seed) => randn([1, 2, 6, 8], { seed })) as [Tensor, Tensor];
const options = { mask: causal() };

/** Keys in pages, as a cache holds them: the second page first. */
function paged(dtype: "float16" | "float32"): KeyValues {
  const pages = ({ data }: Tensor) => {
    const rows = [...data];
    const part = (h: number, s: number) => rows.slice((h * 6 + s) * 8, (h * 6 + s + 3) * 8);
    const numbers = [part(0, 3), part(1, 3), part(0, 0), part(1, 0)].flat();
    const floats = cast(tensor(numbers, { shape: [2, 2, 3, 8] }), "float16");
    return {
      data: dtype === "float16" ? floats : cast(floats, "float32"),
      table: Int32Array.of(1, 0),
      blockLength: 3,
      length: 6,
    };
  };
  return { key: [pages(key)], value: [pages(value)], positions: { start: 0 } };
}

test.each(["float16", "bfloat16"] as const)(
  "keys and values of %s give the same as after a cast to float32",
  (dtype) => {
    const [k, v] = [cast(key, dtype), cast(value, dtype)];
    const [wideKey, wideValue] = [cast(k, "float32"), cast(v, "float32")];
    const right = attention(query, wideKey, wideValue, options);
    expect(attention(query, k, v, options).data).toEqual(right.data);
    expect(plainAttention(query, k, v, options).output.data).toEqual(
      plainAttention(query, wideKey, wideValue, options).output.data,
    );
    // A device that reads such keys, for a call that its kernel leaves to the plain one.
    const device = { ...js(), keyValueTypes: [dtype], kernels: { attention: () => false } };
    const [q, ...halves] = [query, k, v].map((x) =>
      tensor(x.data, { shape: x.shape, dtype: x.dtype, device }),
    );
    expect(attention(q!, halves[0]!, halves[1]!, options).data).toEqual(right.data);
  },
);

test("keys in paged blocks may have 16 bits", () => {
  expect(denseSegment(paged("float16").key[0]!, 1).dtype).toBe("float16");
  expect(attention(query, paged("float16"), options).data).toEqual(
    attention(query, paged("float32"), options).data,
  );
});

test("16-bit keys are refused with float64 queries, and so are 16-bit queries", () => {
  const half = cast(key, "float16");
  expect(() => attention(cast(query, "float64"), half, half)).toThrow(
    /`key` is "float16", expected of type float64, as the query is/,
  );
  expect(() => attention(cast(query, "float16"), half, half)).toThrow(/`query` is "float16"/);
});

test("a gradient through keys that a device reads in 16 bits is refused; through keys cast to float32 it reaches the query", () => {
  const [k, v] = [cast(key, "float16"), cast(value, "float16")];
  const loss = (q: Tensor, k: Tensor, v: Tensor) => sum(attention(q, k, v, options));
  expect(grad((q: Tensor) => loss(q, k, v))(query).shape).toEqual(query.shape);
  const device = { ...js(), keyValueTypes: ["float16"] as const };
  const [q, ...halves] = [query, k, v].map((x) => tensor(x.data, { shape: x.shape, dtype: x.dtype, device }));
  expect(() => grad((q: Tensor) => loss(q, halves[0]!, halves[1]!))(q!)).toThrow(
    /`gradient` is .*of 16 bits.*\nFix: train without a cache/s,
  );
});
