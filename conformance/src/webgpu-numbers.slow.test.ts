// Attention of typed arrays on the GPU, without tensors, compared with the plain device.
import {
  alibi,
  and,
  attention,
  causal,
  not,
  or,
  padding,
  prefix,
  scoreMod,
  scoreModFunction,
  slidingWindow,
  t5Bias,
  type AttentionOptions,
} from "@qkv/attention";
import { lookup } from "@qkv/attention-contract";
import { randn, tensor, type Tensor } from "@qkv/tensor";
import { openAttention, type GpuAttention, type GpuAttentionOptions } from "@qkv/webgpu/attention";
import "@qkv/test-support/allclose";
import { changedGpu } from "@qkv/test-support/changed-gpu";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { create } from "webgpu";

/** Keeps the GPU referenced during the tests: the process ends when it is garbage-collected. */
const gpu = create([]);
const near = { rtol: 2e-5, atol: 2e-5 };

describe.skipIf(!(await gpu.requestAdapter()))("webgpu, attention of numbers", () => {
  let device: GpuAttention;
  beforeAll(async () => (device = await openAttention({ gpu })), 300_000);
  afterAll(() => device.close());

  const [H, Hkv] = [4, 2];
  const inputs = (T: number, S: number, D: number, Dv = D): [Tensor, Tensor, Tensor] => [
    randn([2, H, T, D], { seed: 1 }),
    randn([2, Hkv, S, D], { seed: 2 }),
    randn([2, Hkv, S, Dv], { seed: 3 }),
  ];
  const table = randn([H, 7], { seed: 4 });
  const sinks = randn([H], { seed: 5 });
  const options: [string, AttentionOptions & GpuAttentionOptions][] = [
    ["no mask", {}],
    ["a causal mask", { mask: causal() }],
    ["a scale and a softcap", { scale: 0.7, softcap: 3 }],
    ["sinks under a window", { mask: slidingWindow(20), sinks }],
    [
      "a mask of masks, which differs between batches",
      { mask: or(and(causal(), padding([30, 70])), and(prefix(5), not(slidingWindow(3)))) },
    ],
    ["ALiBi", { mask: causal(), bias: alibi(H) }],
    ["T5's bias", { bias: t5Bias(randn([32, H], { seed: 6 }), { bidirectional: true }) }],
    [
      "an expression that looks numbers up and masks",
      {
        scoreMod: scoreMod((score, at) => {
          const distance = at.query.sub(at.key).abs();
          return distance.greater(40).where(-Infinity, score.add(lookup(table, at.head, distance.min(6))));
        }),
        softcap: 5,
        sinks,
      },
    ],
    [
      "a function in the place of a score mod",
      { scoreMod: (score, at) => score.mul(at.key.mul(0.01).exp()) },
    ],
  ];

  test.each(options)("%s: prefill and decoding equal the plain device's", async (_, given) => {
    for (const [T, D, Dv] of [
      [70, 16, 16],
      [3, 6, 9],
    ] as const) {
      const [query, key, value] = inputs(T, 130, D, Dv);
      const right = attention(query, key, value, given);
      const { data, shape } = await device.attention(query, key, value, given);
      expect(shape).toEqual(right.shape);
      expect(data).toBeAllclose(right.data, near);
    }
  });

  test("head sizes that are no multiple of four, and one query", async () => {
    for (const [T, D, Dv] of [
      [33, 5, 7],
      [1, 16, 16],
    ] as const) {
      const [query, key, value] = inputs(T, 130, D, Dv);
      const { data } = await device.attention(query, key, value, { mask: causal() });
      expect(data).toBeAllclose(attention(query, key, value, { mask: causal() }).data, near);
    }
  });

  test("calls without await run in order, and input arrays are unchanged", async () => {
    const given = [1, 2, 3].map((seed) => randn([1, H, 40, 8], { seed }));
    const before = given.map(({ data }) => data.slice());
    const ours = await Promise.all(given.map((x) => device.attention(x, x, x, { mask: causal() })));
    given.forEach((x, i) => {
      expect(ours[i]!.data).toBeAllclose(attention(x, x, x, { mask: causal() }).data, near);
      expect(x.data).toEqual(before[i]);
    });
  });

  test("masked elements may be NaN", async () => {
    const [query, key, value] = inputs(40, 40, 8);
    const hidden = (x: Tensor) => {
      const data = (x.data as Float32Array).slice();
      for (let head = 0; head < 2 * Hkv; head++) data.fill(NaN, (head * 40 + 30) * 8, (head + 1) * 40 * 8);
      return { data, shape: x.shape };
    };
    const mask = padding([30, 30]);
    const { data } = await device.attention(query, hidden(key), hidden(value), { mask });
    expect(data).toBeAllclose(attention(query, key, value, { mask }).data, near);
  });

  test("no queries, and no keys", async () => {
    const x = (length: number) => ({ data: new Float32Array(length * 8), shape: [1, 1, length, 8] });
    expect(await device.attention(x(0), x(3), x(3))).toEqual({
      data: new Float32Array(0),
      shape: [1, 1, 0, 8],
    });
    expect(await device.attention(x(2), x(0), x(0))).toEqual({
      data: new Float32Array(16),
      shape: [1, 1, 2, 8],
    });
  });

  test("on a slow GPU a long call is split into dispatches, with the same results", async () => {
    let submissions = 0;
    const slowQueue = (queue: GPUQueue) =>
      new Proxy(queue, {
        get(target, name) {
          if (name === "submit") submissions += 1;
          if (name === "onSubmittedWorkDone")
            return () =>
              new Promise((resolve) => setTimeout(resolve, 1500)).then(() => target.onSubmittedWorkDone());
          return (Reflect.get(target, name, target) as () => unknown).bind(target);
        },
      });
    const slow = await openAttention({
      gpu: changedGpu(gpu, ({ queue }, name) => (name === "queue" ? slowQueue(queue) : undefined)),
    });
    submissions = 0;
    const [query, key, value] = inputs(300, 300, 16);
    const [ours, cut] = [device, slow].map((one) => one.attention(query, key, value));
    expect((await cut!).data).toEqual((await ours!).data);
    // The dispatches, and the copy for reading.
    expect(submissions).toBeGreaterThan(4);
    slow.close();
  });

  test("the report contains the adapter, and the error of the self-test", () => {
    const { adapter, selfTestError, flopsPerSecond } = device.report();
    expect(adapter).not.toBe("");
    expect(selfTestError).toBeGreaterThan(0);
    expect(selfTestError).toBeLessThan(1e-5);
    expect(flopsPerSecond).toBeGreaterThan(1e6);
  });

  test("invalid calls are refused, with the valid ones", async () => {
    const x = randn([1, H, 4, 8], { seed: 1 });
    const refused: [Parameters<GpuAttention["attention"]>, RegExp][] = [
      [[[1, 2] as never, x, x], /^attention: `query` is \[1, 2\], expected `\{ data, shape \}`/],
      [
        [x, { data: new Float32Array(3), shape: [4] }, x],
        /^attention: `key` is .*, whose product it has numbers/,
      ],
      [[randn([4, 8], { seed: 1 }), x, x], /`query` has shape \[4, 8\], expected \[B, H, T, D\]/],
      [[x, randn([1, 3, 4, 8], { seed: 1 }), x], /`key` has shape .* numKvHeads a divisor of numHeads = 4/],
      [[x, x, randn([1, H, 5, 8], { seed: 1 })], /`value` has shape .*, expected \[1, 4, 4, /],
      [
        [x, x, x, { mask: causal as never }],
        /`mask` is the function causal, expected a mask such as causal\(\)/,
      ],
      [
        [x, x, x, { bias: alibi(2) }],
        /`bias` is .*, expected numbers for numHeads = 4, and it has them for 2/,
      ],
      [[x, x, x, { bias: x as never }], /`bias` is a float32 tensor .*, expected a score mod/],
      [[x, x, x, { sinks: randn([3], { seed: 1 }) }], /`sinks` has shape \[3\], expected \[4\]: one logit/],
      [[x, x, x, { softcap: -1 }], /`softcap` is -1, expected a finite number, 0/],
      [[x, x, x, { scale: NaN }], /`scale` is NaN, expected a finite number/],
      [[x, x, x, { masks: causal() } as never], /`masks` is .*, expected one of the options mask, /],
      [
        [x, x, x, { scoreMod: scoreModFunction((s) => s) }],
        /expected arithmetic on symbols, which shaders can follow/,
      ],
      [[tensor([1]), x, x], /`query` has shape \[1\]/],
    ];
    for (const [call, message] of refused) await expect(device.attention(...call)).rejects.toThrow(message);
  });

  test("a lost and a closed GPU throw, and the fix opens it again", async () => {
    const lost: GPUDevice[] = [];
    const other = await openAttention({ gpu: changedGpu(gpu, () => undefined, lost) });
    const x = randn([1, 1, 4, 8], { seed: 1 });
    lost[0]!.destroy();
    await lost[0]!.lost;
    await expect(other.attention(x, x, x)).rejects.toThrow(
      /^attention: `device` is "lost .*\nFix: open it again: `await openAttention\(\)`/s,
    );
    other[Symbol.dispose]();
    await expect(other.attention(x, x, x)).rejects.toThrow(/^attention: `device` is "closed"/);
    await expect(openAttention({ subgroups: true } as never)).rejects.toThrow(
      /^openAttention: `subgroups` is true, expected one of the options adapter, gpu/,
    );
  });
});
