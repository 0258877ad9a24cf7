import { alibi, causal, slidingWindow, tracedAttention } from "@qkv/attention";
import { randn, type Tensor } from "@qkv/tensor";
import { wasm } from "@qkv/wasm";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";

test("property: traced weights equal the plain device's, without its kernel", async () => {
  const device = await wasm();
  const masks = [causal(), slidingWindow(9), undefined];
  for (const [T, S, D, mask] of [5, 64, 130].flatMap((S) =>
    masks.map((mask) => [Math.min(S, 70), S, 16, mask] as const),
  )) {
    const [query, key, value] = [
      randn([2, 4, T, D], { seed: S }),
      randn([2, 2, S, D], { seed: S + 1 }),
      randn([2, 2, S, D], { seed: S + 2 }),
    ] as const;
    const sinks = randn([4], { seed: 4 });
    const options = { ...(mask && { mask }), sinks, scoreMod: alibi(4), softcap: 3 };
    const expected = tracedAttention(query, key, value, options, ["weights"]);
    const before = device.report().calls["attention"]?.plain ?? 0;
    const on = (x: Tensor) => x.to(device);
    const traced = tracedAttention(on(query), on(key), on(value), { ...options, sinks: on(sinks) }, [
      "weights",
    ]);
    expect(device.report().calls["attention"]!.plain).toBe(before);
    expect(traced.weights.data).toBeAllclose(expected.weights.data, { rtol: 0, atol: 1e-6 });
    expect(traced.output.data).toBeAllclose(expected.output.data, { rtol: 0, atol: 1e-5 });
  }
});
