import { alibi, attention, causal, type AttentionOptions } from "@qkv/attention";
import { grad, mul, randn, sum, type Device, type Tensor } from "@qkv/tensor";
import { lookup } from "@qkv/attention-contract";
import { wasm } from "@qkv/wasm";
import { beforeAll, describe, expect, test } from "vitest";

/** Numbers of key-value heads, queries and keys, and options, some of which look up tables. */
const calls: Record<string, [number, number, number, (numbers: Tensor) => AttentionOptions]> = {
  causal: [2, 130, 130, () => ({ mask: causal() })],
  alibi: [4, 100, 100, () => ({ mask: causal(), bias: alibi(4) })],
  "one query, many keys": [2, 1, 3000, () => ({})],
  "numbers looked up": [
    2,
    130,
    130,
    (numbers) => ({ scoreMod: (score, at) => score.add(lookup(numbers, at.head, at.query.sub(at.key))) }),
  ],
};

describe("attention gives the same bits for any number of threads", () => {
  const devices: Device[] = [];
  beforeAll(async () => {
    for (const threads of [1, 2, 3]) devices.push(await wasm({ threads }));
  });

  test.each(Object.keys(calls))("%s, forward and backward", (name) => {
    const [Hkv, T, S, options] = calls[name]!;
    const inputs = [
      randn([2, 4, T, 16], { seed: 1 }),
      randn([2, Hkv, S, 16], { seed: 2 }),
      randn([2, Hkv, S, 16], { seed: 3 }),
      randn([4, 131], { seed: 4 }),
    ];
    const results = devices.map((device) => {
      const run = (all: readonly Tensor[]) => {
        const [query, key, value, numbers] = all as [Tensor, Tensor, Tensor, Tensor];
        return attention(query, key, value, options(numbers));
      };
      const moved = inputs.map((x) => x.to(device));
      const slope = (all: readonly Tensor[]) => {
        const y = run(all);
        return sum(mul(y, randn(y.shape, { seed: 5, device })));
      };
      return [run(moved), ...grad(slope)(moved)].map((x) => [...x.data]);
    });
    for (const other of results.slice(1)) expect(other).toEqual(results[0]);
    for (const device of devices) expect(device.report().calls["attentionBackward"]!.plain).toBe(0);
  });
});
