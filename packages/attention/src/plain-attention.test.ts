import { type KeyValues, lookup } from "@qkv/attention-contract";
import {
  checkGradient,
  concat,
  grad,
  mul,
  randn,
  slice,
  sum,
  tensor,
  tensorsOf,
  valueAndGrad,
  type Tensor,
} from "@qkv/tensor";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { runs } from "../../../scripts/tier.mjs";
import { attention, attentionWeights, tracedAttention, type AttentionOptions } from "./attention.js";
import { and } from "./masks/and.js";
import { causal } from "./masks/causal.js";
import { maskTensor } from "./masks/mask-tensor.js";
import { padding } from "./masks/padding.js";
import { slidingWindow } from "./masks/sliding-window.js";
import { mergeAttention } from "./merge-attention.js";
import { plainAttention } from "./plain-attention.js";
import { scoreMod, scoreModFunction } from "./score-mod.js";

const float64 = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const names = ["dots", "capped", "scores", "weights", "lse"] as const;

/** Lists of the positions of S keys, each in another order; a slot of each, never that of the last position, is free. */
function shuffledPositions(lists: number, S: number, seed: number): Int32Array {
  return Int32Array.from({ length: lists * S }, (_, n) => {
    const [list, s] = [Math.floor(n / S), n % S];
    const position = (s + seed + 3 * list) % S;
    return position === (seed + list) % S && position < S - 1 ? -1 : position;
  });
}

/** Sizes around those of tiles, heads that share, and an option of each kind. */
const cases = fc
  .record({
    B: fc.integer({ min: 1, max: 2 }),
    Hkv: fc.integer({ min: 1, max: 2 }),
    group: fc.integer({ min: 1, max: 2 }),
    T: fc.constantFrom(1, 2, 5, 65),
    more: fc.constantFrom(0, 1, 3, 64, 70),
    D: fc.integer({ min: 1, max: 5 }),
    Dv: fc.integer({ min: 1, max: 5 }),
    seed: fc.nat(1e6),
    mask: fc.constantFrom("none", "causal", "window", "padding", "random"),
    mods: fc.subarray(["bias", "scoreMod", "weightMod", "softcap", "sinks", "dropout"]),
    cut: fc.double({ min: 0, max: 1, noNaN: true }),
    lists: fc.constantFrom("none", "one", "by batch", "by head"),
  })
  .map(({ B, Hkv, group, T, more, D, Dv, seed, mask, mods, cut, lists }) => {
    const [H, S] = [Hkv * group, T + more];
    const query = float64([B, H, T, D], seed);
    const [key, value] = [float64([B, Hkv, S, D], seed + 1), float64([B, Hkv, S, Dv], seed + 2)];
    const at = Math.floor(cut * S);
    const parts = (x: Tensor) => [slice(x, 2, 0, at), slice(x, 2, at)];
    const count = { none: 0, one: 1, "by batch": B, "by head": B * Hkv }[lists]!;
    const positions = count === 0 ? { start: 0 } : shuffledPositions(count, S, seed);
    const keyValues: KeyValues = { key: parts(key), value: parts(value), positions };
    const bits = float64([B, 1, T, S], seed + 3).data as Float64Array;
    const masks = {
      none: undefined,
      causal: causal(),
      window: slidingWindow(1 + (seed % 7)),
      padding: and(causal(), padding(Array.from({ length: B }, (_, b) => (seed + b) % (S + 1)))),
      random: maskTensor(
        tensor(
          [...bits].map((x) => x > 0),
          { shape: [B, 1, T, S] },
        ),
      ),
    };
    const table = float64([H], seed + 4);
    const options: AttentionOptions = {
      ...(masks[mask as keyof typeof masks] && { mask: masks[mask as keyof typeof masks]! }),
      ...(mods.includes("bias") && { bias: float64([H, 1, S], seed + 5) }),
      ...(mods.includes("scoreMod") && {
        scoreMod: scoreMod((s, at) => s.mul(lookup(table, at.head)).sub(at.query.sub(at.key).abs().mul(0.1))),
      }),
      ...(mods.includes("weightMod") && { weightMod: scoreMod((w, at) => w.mul(at.key.add(1)).tanh()) }),
      ...(mods.includes("softcap") && { softcap: 1.5 }),
      ...(mods.includes("sinks") && { sinks: float64([H], seed + 6) }),
      ...(mods.includes("dropout") && { dropout: { rate: 0.3, seed } }),
    };
    return { query, key, value, keyValues, options, seed };
  });

test("property: tiled attention and its traces equal the plain version", () => {
  fc.assert(
    fc.property(cases, ({ query, keyValues, options }) => {
      const plain = plainAttention(query, keyValues, options);
      const tiled = tracedAttention(query, keyValues, options, names);
      for (const name of ["output", ...names] as const)
        expect(tiled[name], name).toBeAllclose(plain[name], { rtol: 1e-12, atol: 1e-12, equalNan: true });
    }),
  );
});

test("property: the gradients of both versions agree, for all inputs", () => {
  fc.assert(
    fc.property(cases, ({ query, keyValues, options, seed }) => {
      const params = { query, keyValues, options: { bias: options.bias as Tensor, sinks: options.sinks } };
      const loss = (version: typeof tiledAll) => (p: typeof params) => {
        const { output, lse, weights } = version(p.query, p.keyValues, {
          ...options,
          ...defined(p.options),
        } as AttentionOptions);
        const finite = mul(weights, 0.5);
        const part = (y: Tensor, s: number) => sum(mul(y, float64([...y.shape], seed + s)));
        // lse is −∞ where a query sees nothing: such a row has no slope to compare.
        const rows = (lse.data as Float64Array).every(Number.isFinite);
        return rows
          ? sum(
              concat(
                [output, finite]
                  .map((y, i) => mul(part(y, 7 + i), tensor([1], { dtype: "float64" })))
                  .concat(mul(part(lse, 9), tensor([1], { dtype: "float64" }))),
                0,
              ),
            )
          : part(output, 7);
      };
      const [a, da] = valueAndGrad(loss(tiledAll))(params);
      const [b, db] = valueAndGrad(loss(plainAttention))(params);
      expect(a, "loss").toBeAllclose(b, { rtol: 1e-10, atol: 1e-10, equalNan: true });
      const pairs: [string, Tensor, Tensor][] = [["query", da.query, db.query]];
      for (const side of ["key", "value"] as const) {
        const [a, b] = [tensorsOf(da.keyValues[side]), tensorsOf(db.keyValues[side])];
        a.forEach((x, i) => pairs.push([`${side} ${i}`, x, b[i]!]));
      }
      if (options.bias) pairs.push(["bias", da.options.bias, db.options.bias]);
      if (options.sinks) pairs.push(["sinks", da.options.sinks!, db.options.sinks!]);
      for (const [name, x, y] of pairs)
        expect(x, `gradient of ${name}`).toBeAllclose(y, { rtol: 1e-9, atol: 1e-9, equalNan: true });
    }),
    { numRuns: runs(60) },
  );
});

const tiledAll = (query: Tensor, keyValues: KeyValues, options: AttentionOptions) =>
  tracedAttention(query, keyValues, options, names);

function defined<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}

test("gradients equal central differences, with every option", () => {
  const [query, key, value] = [float64([1, 2, 3, 4], 1), float64([1, 1, 5, 4], 2), float64([1, 1, 5, 3], 3)];
  const slopes = float64([2], 4);
  const dy = float64([1, 2, 3, 3], 5);
  const params = { query, key, value, slopes, bias: float64([1, 2, 1, 5], 6), sinks: float64([2], 7) };
  const loss = (p: typeof params) => {
    const options: AttentionOptions = {
      mask: causal(),
      softcap: 2,
      bias: p.bias,
      sinks: p.sinks,
      scoreMod: (score, at) => score.sub(at.query.sub(at.key).mul(lookup(p.slopes, at.head))),
      weightMod: (weight, at) => weight.mul(weight).add(lookup(p.slopes, at.head).mul(weight)),
      dropout: { rate: 0.2, seed: 3 },
    };
    return sum(mul(attention(p.query, p.key, p.value, options), dy));
  };
  expect(() => checkGradient(loss, params)).not.toThrow();
});

test("the gradient of weights alone equals central differences", () => {
  const [query, key] = [float64([1, 2, 3, 4], 1), float64([1, 2, 3, 4], 2)];
  const dy = float64([1, 2, 3, 3], 5);
  const loss = (p: { query: Tensor; key: Tensor }) =>
    sum(mul(attentionWeights(p.query, p.key, { mask: causal() }), dy));
  expect(() => checkGradient(loss, { query, key })).not.toThrow();
});

test("second gradients exist for the plain version, and the error of the tiled version says so", () => {
  const x = float64([1, 1, 3, 2], 1);
  const dy = float64([1, 1, 3, 2], 2);
  const through = (version: (x: Tensor) => Tensor) => (x: Tensor) =>
    sum(mul(grad((z: Tensor) => sum(mul(version(z), dy)))(x), dy));
  const plain = (z: Tensor) =>
    plainAttention(z, { key: [z], value: [z], positions: { start: 0 } }, { mask: causal() }).output;
  expect(() => checkGradient(through(plain), x, { tolerance: 1e-5 })).not.toThrow();
  expect(() => grad(through((z) => attention(z, z, z)))(x)).toThrow(/Fix: write `secondGradients/);
});

test("scoreModFunction changes scores, and uses the given derivative", () => {
  const [query, key, value] = [float64([1, 1, 3, 4], 1), float64([1, 1, 5, 4], 2), float64([1, 1, 5, 3], 3)];
  const sine = scoreModFunction((s, _b, _h, q, k) => Math.sin(s) * (q - k), {
    derivative: (s, _b, _h, q, k) => Math.cos(s) * (q - k),
  });
  const loss = (q: Tensor) => sum(attention(q, key, value, { scoreMod: sine }));
  expect(() => checkGradient(loss, query)).not.toThrow();
  const blind = scoreModFunction((s) => Math.sin(s));
  expect(() => grad((q: Tensor) => sum(attention(q, key, value, { scoreMod: blind })))(query)).toThrow(
    /`derivative` is undefined/,
  );
});

test("property: merging any division of the keys, in any order, gives the whole, and empty parts change nothing", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.nat(40), { maxLength: 4 }),
      fc.nat(),
      (S, cuts, seed) => {
        const [query, key, value] = [
          float64([1, 2, 3, 4], seed),
          float64([1, 2, S, 4], seed + 1),
          float64([1, 2, S, 3], seed + 2),
        ];
        const ends = [0, ...cuts.map((cut) => Math.min(cut, S)).sort((a, b) => a - b), S];
        const parts = ends.slice(1).map((end, i) => {
          const [k, v] = [key, value].map((x) => slice(x, 2, ends[i]!, end)) as [Tensor, Tensor];
          return tracedAttention(query, k, v, {}, ["lse"]);
        });
        const whole = tracedAttention(query, key, value, {}, ["lse"]);
        for (const order of [parts, [...parts].reverse()]) {
          const merged = mergeAttention(order);
          expect(merged.output, "output").toBeAllclose(whole.output, {
            rtol: 1e-12,
            atol: 1e-12,
            equalNan: true,
          });
          expect(merged.lse, "lse").toBeAllclose(whole.lse, { rtol: 1e-12, atol: 1e-12, equalNan: true });
        }
      },
    ),
  );
});

test("sinks scale the output by σ(lse − b); b = 0 gives softmax-1, and −∞ no sink", () => {
  const [query, key, value] = [float64([1, 2, 3, 4], 1), float64([1, 2, 5, 4], 2), float64([1, 2, 5, 3], 3)];
  const plain = tracedAttention(query, key, value, {}, ["lse"]);
  const sink = tensor([0.7, -Infinity], { dtype: "float64" });
  const { output } = tracedAttention(query, key, value, { sinks: sink }, []);
  output.data.forEach((y, i) => {
    const head = Math.floor(i / 9);
    const lse = plain.lse.data[Math.floor(i / 3)]!;
    const share = head === 0 ? 1 / (1 + Math.exp(0.7 - lse)) : 1;
    expect(y).toBeCloseTo(plain.output.data[i]! * share, 12);
  });
});

const attends: readonly ((q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions) => Tensor)[] = [
  attention,
  (q, k, v, options) => plainAttention(q, k, v, options).output,
];

test("property: memory keys with scores of −∞ change nothing, and receive no gradient", () => {
  const few = (min: number) => fc.integer({ min, max: 4 });
  fc.assert(
    fc.property(few(1), few(1), fc.boolean(), fc.nat(1e6), (T, numMemories, masked, seed) => {
      const options = masked ? { mask: causal() } : {};
      const [q, k, v] = [0, 1, 2].map((i) => float64([2, 2, T, 3], seed + i)) as [Tensor, Tensor, Tensor];
      const memory = float64([2, 2, numMemories, 3], seed + 3);
      const before = Array.from({ length: numMemories + T }, (_, j) => (j < numMemories ? -Infinity : 0));
      const bias = tensor(before, { dtype: "float64" });
      for (const attend of attends) {
        const withMemory = ({ memory }: { memory: Tensor }) =>
          attend(q, concat([memory, k], 2), concat([memory, v], 2), { ...options, bias });
        expect(withMemory({ memory })).toBeAllclose(attend(q, k, v, options), { rtol: 1e-12, atol: 1e-12 });
        const slope = grad((given: { memory: Tensor }) => sum(withMemory(given)))({ memory });
        expect(new Set(Array.from(slope.memory.data, Math.abs))).toEqual(new Set([0]));
      }
    }),
    { numRuns: runs(20) },
  );
});
