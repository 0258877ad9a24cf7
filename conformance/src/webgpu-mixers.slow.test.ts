// Operations of mixers, patches and sampling on the WebGPU device, with Node's default adapter, compared with the plain
// device; and every operation of the packages has a kernel, since data cannot be read in between.
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chunkwise, maxPoolPatches, mesaNet, mix, recurrent, type FactoredSteps } from "@qkv/attention";
import {
  abs,
  add,
  categorical,
  full,
  grad,
  greater,
  mul,
  neg,
  permute,
  randn,
  sigmoid,
  sum,
  tensor,
  where,
  type Tensor,
} from "@qkv/tensor";
import { webgpu, type WebGpuDevice } from "@qkv/webgpu";
import "@qkv/test-support/allclose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { create } from "webgpu";

/** Keeps the GPU referenced during the tests: the process ends when it is garbage-collected. */
const gpu = create([]);
const near = { rtol: 2e-5, atol: 2e-5 };

/** Steps and an initial state; rows are token-major. */
function stepsOf([B, H, T, K, V]: readonly [number, number, number, number, number], seed: number) {
  const rows = (last: number, n: number) => permute(randn([B, T, H, last], { seed: seed + n }), [0, 2, 1, 3]);
  const key = mul(rows(K, 1), 1 / Math.sqrt(2 * K));
  // Decays of −∞ reset the state.
  const decay = where(greater(rows(1, 4), 1), -Infinity, neg(abs(rows(1, 3))));
  return {
    query: rows(K, 0),
    key,
    value: rows(V, 2),
    decay,
    erase: add(key, mul(rows(K, 5), 0.1)),
    beta: sigmoid(rows(1, 7)),
    state: randn([B, H, K, V], { seed: seed + 6 }),
  };
}

type Given = ReturnType<typeof stepsOf>;
const moved = (given: Given, device: WebGpuDevice): Given =>
  Object.fromEntries(Object.entries(given).map(([name, x]) => [name, x.to(device)])) as Given;

const forms = {
  "a sum of outer products": ({ query, key, value }: Given): FactoredSteps => ({ query, key, value }),
  decay: ({ query, key, value, decay }: Given): FactoredSteps => ({
    query,
    key,
    value,
    decay,
    reads: "before",
  }),
  "decay and erasure": ({ query, key, value, decay, erase }: Given): FactoredSteps => ({
    query,
    key,
    value,
    decay,
    erase,
  }),
  "all factors apart": ({ state: _, ...steps }: Given): FactoredSteps => ({
    ...steps,
    erases: "after",
    scale: 0.3,
  }),
};

const packages = fileURLToPath(new URL("../../packages/", import.meta.url));

/**
 * A definition of an operation in the sources: an object with a name and a plain kernel, or a call of a defining
 * function.
 */
const definitions = [
  /\bname: "(\w+)",(?:(?!\bname: )[\s\S])*?\n +kernel[(:]/g,
  /\b(?:unaryOp|binaryOp|reduceOp|alongAxis|argExtremum)(?:<[^()]*?>)?\(\s*"(\w+)"/g,
];

function definedOps(): string[] {
  const names = new Set<string>();
  for (const file of globSync("{tensor,attention,kv-cache,transformer}/src/**/*.ts", { cwd: packages })) {
    if (file.includes(".test.")) continue;
    const source = readFileSync(`${packages}${file}`, "utf8");
    for (const definition of definitions)
      for (const [, name] of source.matchAll(definition)) names.add(name!);
  }
  return [...names].sort();
}

describe.skipIf(!(await gpu.requestAdapter()))("webgpu", () => {
  let device: WebGpuDevice;
  beforeAll(async () => (device = await webgpu({ gpu })), 300_000);
  afterAll(() => device.close());

  test("every operation of the packages has a kernel", () => {
    const ops = definedOps();
    expect(ops.length).toBeGreaterThan(90);
    expect(ops).toEqual(
      expect.arrayContaining(["add", "attention", "scan", "sum", "topK", "unitLowerInverse"]),
    );
    // The gradient of attention may run on the plain device; that of cross-entropy is composed of other operations.
    const may = new Set(["attentionBackward", "crossEntropyBackward"]);
    expect(ops.filter((op) => !(op in device.kernels) && !may.has(op))).toEqual([]);
  });

  test.each(Object.keys(forms) as (keyof typeof forms)[])("scan: %s", async (form) => {
    for (const [i, sizes] of (
      [
        [1, 2, 1, 5, 3],
        [2, 2, 70, 5, 9],
        [2, 1, 9, 5, 20],
      ] as const
    ).entries()) {
      const given = stepsOf(sizes, 10 * i);
      const expected = recurrent(forms[form](given), given.state);
      const there = moved(given, device);
      const before = device.report().calls["scan"]?.device ?? 0;
      const actual = chunkwise()(forms[form](there), there.state);
      expect(device.report().calls["scan"]?.device).toBe(before + 1);
      expect(await actual.output.read()).toBeAllclose(expected.output.data, near);
      expect(await actual.state.read()).toBeAllclose(expected.state.data, near);
      // The initial state is unchanged.
      expect(await there.state.read()).toEqual(given.state.data);
    }
  });

  test("gradients of a scan", async () => {
    const given = stepsOf([1, 2, 19, 5, 6], 1);
    const loss = (given: Given) => {
      const steps = forms["all factors apart"](given);
      const scanned = (given.state.device === device ? chunkwise(8) : recurrent)(steps, given.state);
      return add(sum(mul(scanned.output, scanned.output)), sum(scanned.state));
    };
    // The gradient of a decay of −∞ is undefined.
    given.decay = neg(abs(randn([1, 2, 19, 1], { seed: 3 })));
    const expected = grad(loss)(given);
    const actual = grad(loss)(moved(given, device));
    for (const name of Object.keys(given) as (keyof Given)[])
      expect(await actual[name].read(), name).toBeAllclose(expected[name].data, { rtol: 2e-4, atol: 2e-4 });
    expect(device.report().calls["unitLowerInverse"]).toMatchObject({ plain: 0 });
  });

  test("MesaNet solves a system for each token, and throws for a matrix that is not positive definite", async () => {
    const [B, H, T, K] = [1, 2, 9, 5];
    const on = (x: Tensor) => x.to(device);
    const run = (on: (x: Tensor) => Tensor, regularization: number) =>
      mix(mesaNet(), {
        query: on(randn([B, H, T, K], { seed: 1 })),
        key: on(randn([B, H, T, K], { seed: 2 })),
        value: on(randn([B, H, T, 3], { seed: 3 })),
        decay: on(full([B, H, T], -0.2)),
        beta: on(full([B, H, T], 0.7)),
        regularization: on(full([H, K], regularization)),
      }).output;
    expect(await run(on, 1).read()).toBeAllclose(run((x) => x, 1).data, { rtol: 1e-4, atol: 1e-4 });
    expect(device.report().calls["solvePositiveDefinite"]).toMatchObject({ plain: 0 });
    await expect(run(on, -100).read()).rejects.toThrow(
      /^solvePositiveDefinite: `a` is "a pivot that is not above 0", expected a matrix whose eigenvalues are above 0/,
    );
  });

  test("the maximum of each patch and its gradient; an empty patch gives 0, and NaN propagates", async () => {
    const x = randn([2, 6, 3], { seed: 1 });
    const ids = [
      [0, 0, 1, 3, 3, 3],
      [2, 0, 2, 1, 1, 2],
    ];
    const pooled = (x: Tensor) => maxPoolPatches(x, ids, 4);
    expect(await pooled(x.to(device)).read()).toEqual(pooled(x).data);
    const loss = (x: Tensor) => sum(mul(pooled(x), pooled(x)));
    expect(await grad(loss)(x.to(device)).read()).toBeAllclose(grad(loss)(x).data, near);
    const holed = tensor(
      [...x.data].map((n, i) => (i % 7 === 3 ? NaN : n)),
      { shape: x.shape },
    );
    expect(await pooled(holed.to(device)).read()).toBeAllclose(pooled(holed).data, {
      ...near,
      equalNan: true,
    });
  });

  test("samples equal the plain device's for the same seed, and an error names a row without a class", async () => {
    const logits = where(greater(randn([60, 33], { seed: 1 }), -1), randn([60, 33], { seed: 2 }), -Infinity);
    for (const draw of [0, 1, 2 ** 40]) {
      const options = { seed: 2 ** 45 + 3, draw };
      expect(await categorical(logits.to(device), options).read()).toEqual(categorical(logits, options).data);
    }
    await expect(categorical(full([1, 3], -Infinity).to(device), { seed: 1 }).read()).rejects.toThrow(
      /^categorical: `logits` is "a row without a number above -∞"/,
    );
    const one = add(logits.to(device), 1);
    const before = device.report().counts.reads;
    expect(await categorical(one, { seed: 1 }).read()).toHaveLength(60);
    expect(device.report().counts.reads).toBe(before + 1);
  });
});
