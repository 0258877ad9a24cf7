import { chunkwise, recurrent, type Steps } from "@qkv/attention";
import { abs, add, cast, grad, greater, mul, neg, permute, randn, sum, where } from "@qkv/tensor";
import type { Device, Tensor } from "@qkv/tensor";
import { wasm, type WasmDevice } from "@qkv/wasm";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const tolerance = { rtol: 1e-5, atol: 1e-5 };

type Case = {
  readonly sizes: readonly [B: number, H: number, T: number, K: number, V: number];
  /** Decays of −∞ begin anew. */
  readonly decays: "none" | "some" | "resets";
  readonly erases: boolean;
  readonly reads: "before" | "after";
  readonly seed: number;
};

/** Steps and a first state. Rows lie by token where the seed is odd. */
function stepsOf({ sizes: [B, H, T, K, V], decays, erases, reads, seed }: Case) {
  const rows = (last: number, n: number) =>
    seed % 2
      ? permute(randn([B, T, H, last], { seed: seed + n }), [0, 2, 1, 3])
      : randn([B, H, T, last], { seed: seed + n });
  const unit = (x: Tensor) => mul(x, 1 / Math.sqrt(2 * K));
  const logs = neg(abs(rows(1, 3)));
  const key = unit(rows(K, 1));
  const steps: Steps = {
    query: rows(K, 0),
    key,
    value: rows(V, 2),
    decay:
      decays === "none"
        ? undefined
        : decays === "some"
          ? logs
          : where(greater(rows(1, 4), 1), -Infinity, logs),
    erase: erases ? add(key, mul(unit(rows(K, 5)), 0.5)) : undefined,
    reads,
  };
  return { steps, state: randn([B, H, K, V], { seed: seed + 6 }) };
}

/** The same steps, each tensor as `f` has it. */
const mapSteps = ({ steps, state }: ReturnType<typeof stepsOf>, f: (x: Tensor) => Tensor) => ({
  steps: Object.fromEntries(
    Object.entries(steps).map(([name, x]) => [name, typeof x === "object" ? f(x) : x]),
  ) as unknown as Steps,
  state: f(state),
});

const on = (device: Device, given: ReturnType<typeof stepsOf>) => mapSteps(given, (x) => x.to(device));

const cases = fc.record({
  sizes: fc.tuple(
    fc.integer({ min: 1, max: 2 }),
    fc.integer({ min: 1, max: 3 }),
    fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 150 })),
    fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant(70)),
    fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(64)),
  ),
  decays: fc.constantFrom("none", "some", "resets"),
  erases: fc.boolean(),
  reads: fc.constantFrom("before", "after"),
  seed: fc.nat(1e6),
});

describe.each(["plain", "relaxed"] as const)("the scan kernel of the build %s", (build) => {
  let device: WasmDevice;
  beforeAll(async () => {
    device = await wasm({ build });
  });

  test("property: steps equal those of the recurrence, in chunks of any length and token by token", () => {
    fc.assert(
      fc.property(cases, fc.constantFrom(undefined, 1, 7, 100), (given, chunkSize) => {
        const { steps, state } = stepsOf(given as Case);
        const expected = recurrent(steps, state);
        const there = on(device, { steps, state });
        const before = device.report().calls["scan"]?.device ?? 0;
        const actual = chunkwise(chunkSize)(there.steps, there.state);
        expect(device.report().calls["scan"]?.device).toBe(before + 1);
        expect(actual.output).toBeAllclose(expected.output, tolerance);
        expect(actual.state).toBeAllclose(expected.state, tolerance);
      }),
      { numRuns: 60 },
    );
  });

  test("gradients equal those of the recurrence", () => {
    const given = stepsOf({ sizes: [1, 2, 19, 5, 6], decays: "some", erases: true, reads: "after", seed: 2 });
    const loss = ({ steps, state }: typeof given) => {
      const scanned = (steps.query.device === device ? chunkwise(8) : recurrent)(steps, state);
      return add(sum(mul(scanned.output, scanned.output)), sum(scanned.state));
    };
    const expected = grad(loss)(given);
    const actual = grad(loss)(on(device, given));
    for (const name of ["query", "key", "value", "decay", "erase"] as const)
      expect(actual.steps[name]!).toBeAllclose(expected.steps[name]!, { rtol: 1e-4, atol: 1e-4 });
    expect(actual.state).toBeAllclose(expected.state, { rtol: 1e-4, atol: 1e-4 });
  });

  test("float64 is left to the plain kernel, which goes token by token", () => {
    const given = stepsOf({
      sizes: [2, 1, 11, 3, 2],
      decays: "resets",
      erases: true,
      reads: "before",
      seed: 3,
    });
    const { steps, state } = mapSteps(given, (x) => cast(x, "float64"));
    const there = on(device, { steps, state });
    const before = device.report().calls["scan"]?.plain ?? 0;
    const actual = chunkwise()(there.steps, there.state);
    expect(device.report().calls["scan"]?.plain).toBe(before + 1);
    const exact = { rtol: 0, atol: 1e-12 };
    const expected = recurrent(steps, state);
    expect(actual.output).toBeAllclose(expected.output, exact);
    expect(actual.state).toBeAllclose(expected.state, exact);
  });
});

describe("threads", () => {
  const devices: WasmDevice[] = [];
  beforeAll(async () => {
    devices.push(await wasm(), await wasm({ threads: 2 }));
  });
  afterAll(() => Promise.all(devices.map((device) => device.close())));

  test.each([
    ["a token of many heads", 1, 40],
    ["chunks of a few heads", 150, 3],
  ])("%s: the same bits for any number of threads", (_, T, H) => {
    const given = stepsOf({
      sizes: [2, H, T, 16, 24],
      decays: "some",
      erases: true,
      reads: "after",
      seed: 8,
    });
    const [one, two] = devices.map((device) => {
      const { steps, state } = on(device, given);
      const scanned = chunkwise()(steps, state);
      return [scanned.output, scanned.state].map((x) => new Uint8Array(Float32Array.from(x.data).buffer));
    });
    expect(two).toEqual(one);
  });
});
