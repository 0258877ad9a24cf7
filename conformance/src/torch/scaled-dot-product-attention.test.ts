import { randn, reshape, slice, tensor, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { scaledDotProductAttention } from "./scaled-dot-product-attention.js";

async function run(inputs: Record<string, Tensor>, own: object = {}): Promise<Tensor> {
  const attributes = { ...scaledDotProductAttention.attributes, ...own };
  return (await scaledDotProductAttention.run(inputs, attributes)).output!;
}

const query = randn([2, 3, 2, 4], { seed: 1 });
const key = randn([2, 3, 5, 4], { seed: 2 });
const value = randn([2, 3, 5, 6], { seed: 3 });
const first = (x: Tensor, axes: number) => reshape(slice(x, 0, 0, 1), x.shape.slice(-axes));

test("head and batch axes may be absent, or several", async () => {
  const whole = await run({ query, key, value });
  const alone = { query: first(query, 3), key: first(key, 3), value: first(value, 3) };
  const heads = await run(alone);
  expect(heads.shape).toEqual([3, 2, 6]);
  expect([...heads.data]).toEqual([...whole.data.slice(0, 36)]);
  const single = await run({
    query: first(alone.query, 2),
    key: first(alone.key, 2),
    value: first(alone.value, 2),
  });
  expect(single.shape).toEqual([2, 6]);
  expect([...single.data]).toEqual([...whole.data.slice(0, 12)]);
  const attn_mask = tensor(
    Array.from({ length: 20 }, (_, i) => (i % 3 ? 1 : 0)),
    { shape: [2, 1, 2, 5], dtype: "bool" },
  );
  const masked = await run({ query, key, value, attn_mask });
  const deep = (x: Tensor) => reshape(x, [2, 1, ...x.shape.slice(1)]);
  const five = await run({
    query: deep(query),
    key: deep(key),
    value: deep(value),
    attn_mask: deep(attn_mask),
  });
  expect(five.shape).toEqual([2, 1, 3, 2, 6]);
  expect([...five.data]).toEqual([...masked.data]);
});

test("keys broadcast over batches, and over heads with enable_gqa", async () => {
  const [k, v] = [slice(key, 0, 0, 1), slice(value, 0, 0, 1)];
  const shared = await run({ query, key: k, value: v });
  expect(shared.shape).toEqual([2, 3, 2, 6]);
  const second = await run({ query: slice(query, 0, 1), key: k, value: v });
  expect([...shared.data.slice(36)]).toEqual([...second.data]);
  const two = { query: randn([1, 4, 2, 4], { seed: 1 }), key: slice(k, 1, 0, 2), value: slice(v, 1, 0, 2) };
  await expect(run(two)).rejects.toThrow(/scaled_dot_product_attention/);
  expect((await run(two, { enable_gqa: true })).shape).toEqual([1, 4, 2, 6]);
  await expect(run({ query, key, value }, { dropout_p: 0.1 })).rejects.toThrow(/dropout_p/);
});
