import {
  chunkwise,
  gatedDeltaRule,
  linearAttention,
  mix,
  recurrent,
  type FactoredSteps,
} from "@qkv/attention";
import {
  abs,
  add,
  cast,
  grad,
  greater,
  mapTensors,
  mul,
  neg,
  permute,
  randn,
  sigmoid,
  sum,
  where,
} from "@qkv/tensor";
import type { Device, Tensor } from "@qkv/tensor";
import { wasm, type WasmDevice } from "@qkv/wasm";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { casesByTier, runs } from "../../scripts/tier.mjs";

const tolerance = { rtol: 1e-5, atol: 1e-5 };

type Case = {
  readonly sizes: readonly [B: number, H: number, T: number, K: number, V: number];
  /** Decays of −∞ reset the state. */
  readonly decays: "none" | "some" | "resets";
  /** Keys to erase: the keys themselves, or others. */
  readonly erases: false | "keys" | "others";
  readonly reads: "before" | "after";
  /** Factors that are separate tensors. */
  readonly factors?: "none" | "before" | "after";
  readonly seed: number;
};

/** Steps and an initial state. Rows are token-major if the seed is odd. */
function stepsOf({ sizes: [B, H, T, K, V], decays, erases, reads, factors = "none", seed }: Case) {
  const rows = (last: number, n: number) =>
    seed % 2
      ? permute(randn([B, T, H, last], { seed: seed + n }), [0, 2, 1, 3])
      : randn([B, H, T, last], { seed: seed + n });
  const unit = (x: Tensor) => mul(x, 1 / Math.sqrt(2 * K));
  const logs = neg(abs(rows(1, 3)));
  const key = unit(rows(K, 1));
  const others = () => add(key, mul(unit(rows(K, 5)), 0.5));
  const steps: FactoredSteps = {
    query: rows(K, 0),
    key,
    value: rows(V, 2),
    decay:
      decays === "none"
        ? undefined
        : decays === "some"
          ? logs
          : where(greater(rows(1, 4), 1), -Infinity, logs),
    erase: erases ? (erases === "keys" ? key : others()) : undefined,
    reads,
    ...(factors !== "none" && { beta: sigmoid(rows(1, 7)), erases: factors, scale: 0.3 }),
  };
  return { steps, state: randn([B, H, K, V], { seed: seed + 6 }) };
}

/** The same steps with `f` applied to each tensor; a tensor that appears twice is mapped once. */
function mapSteps({ steps, state }: ReturnType<typeof stepsOf>, f: (x: Tensor) => Tensor) {
  const mapped = new Map<Tensor, Tensor>();
  const once = (x: Tensor) => mapped.get(x) ?? mapped.set(x, f(x)).get(x)!;
  const entries = Object.entries(steps).map(([name, x]) => [name, typeof x === "object" ? once(x) : x]);
  return { steps: Object.fromEntries(entries) as FactoredSteps, state: f(state) };
}

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
  erases: fc.constantFrom(false, "keys", "others"),
  reads: fc.constantFrom("before", "after"),
  factors: fc.constantFrom("none", "before", "after"),
  seed: fc.nat(1e6),
});

describe.each(casesByTier(["plain", "relaxed"] as const, (build) => build === "relaxed"))(
  "the scan kernel of the build %s",
  (build) => {
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
        { numRuns: runs(100) },
      );
    });

    test.each([
      ["steps", "others", "none"],
      ["steps whose factors are apart", "keys", "after"],
    ] as const)("gradients of %s equal those of the recurrence", (_, erases, factors) => {
      const given = stepsOf({
        sizes: [1, 2, 19, 5, 6],
        decays: "some",
        erases,
        reads: "after",
        factors,
        seed: 2,
      });
      const loss = ({ steps, state }: typeof given) => {
        const scanned = (steps.query.device === device ? chunkwise(8) : recurrent)(steps, state);
        return add(sum(mul(scanned.output, scanned.output)), sum(scanned.state));
      };
      const expected = grad(loss)(given);
      const actual = grad(loss)(on(device, given));
      const names = ["query", "key", "value", "decay", "erase", "beta"] as const;
      for (const name of names.filter((name) => given.steps[name]))
        expect(actual.steps[name]!).toBeAllclose(expected.steps[name]!, { rtol: 1e-4, atol: 1e-4 });
      expect(actual.state).toBeAllclose(expected.state, { rtol: 1e-4, atol: 1e-4 });
    });

    test.each([1, 3, 40])(
      "%i tokens: the next state may take the memory of the first, with the same bits",
      (T) => {
        const [B, H, K, V] = [2, 3, 16, 24];
        const vectors = [B, H, T, K];
        const inputs = mapTensors(
          {
            query: randn(vectors, { seed: 1 }),
            key: mul(randn(vectors, { seed: 2 }), 0.2),
            value: randn([B, H, T, V], { seed: 3 }),
            decay: mul(abs(randn([B, H, T], { seed: 4 })), -0.1),
            beta: sigmoid(randn([B, H, T], { seed: 5 })),
          },
          (x) => x.to(device),
        );
        const [kept, given] = [0, 1].map(() => randn([B, H, K, V], { seed: 6 }).to(device));
        const apart = mix(gatedDeltaRule(), inputs, { initialState: kept! });
        const over = mix(gatedDeltaRule(), inputs, { initialState: given!, overwrite: true });
        expect(over.state.storage).toBe(given!.storage);
        expect(apart.state.storage).not.toBe(kept!.storage);
        expect(over.output.data).toEqual(apart.output.data);
        expect(over.state.data).toEqual(apart.state.data);
        expect(kept!.data).toEqual(randn([B, H, K, V], { seed: 6 }).data);
      },
    );

    test("a key that is no multiple of the vector width reads no data of earlier calls", () => {
      const shape = { decays: "some", erases: "keys", reads: "after", factors: "after" } as const;
      const wide = stepsOf({ ...shape, sizes: [1, 2, 1, 8, 20], seed: 4 });
      const undefinedNumbers = mapSteps(wide, (x) => mul(x, NaN).to(device));
      chunkwise()(undefinedNumbers.steps, undefinedNumbers.state);
      const { steps, state } = stepsOf({ ...shape, sizes: [1, 2, 1, 7, 20], seed: 5 });
      const there = on(device, { steps, state });
      const actual = chunkwise()(there.steps, there.state);
      const expected = recurrent(steps, state);
      expect(actual.output).toBeAllclose(expected.output, tolerance);
      expect(actual.state).toBeAllclose(expected.state, tolerance);
    });

    test("a state is not updated in place if gradients are recorded, or with documents", () => {
      const x = randn([1, 1, 4, 2], { seed: 1 });
      const initialState = randn([1, 1, 2, 2], { seed: 2 });
      const loss = (query: Tensor) =>
        sum(mix(linearAttention(), { query, key: x, value: x }, { initialState, overwrite: true }).output);
      expect(() => grad(loss)(x)).toThrow(
        /mix: `overwrite` is true, expected false where gradients are recorded/,
      );
      const options = { initialState, overwrite: true, documents: [0, 0, 1, 1] };
      expect(() => mix(linearAttention(), { query: x, key: x, value: x }, options)).toThrow(
        /`overwrite` is true, expected false where there are `documents`/,
      );
    });

    test("float64 runs on the plain kernel, token by token", () => {
      const given = stepsOf({
        sizes: [2, 1, 11, 3, 2],
        decays: "resets",
        erases: "others",
        reads: "before",
        factors: "after",
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
  },
);

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
      erases: "keys",
      reads: "after",
      factors: "after",
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
