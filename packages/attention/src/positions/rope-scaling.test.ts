// What holds for every scaling of a rotary embedding.
import { checkGradient, matmul, mul, randn, sum, transpose, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { dynamicNtk } from "./dynamic-ntk.js";
import { linearScaling } from "./linear-scaling.js";
import { llama3Scaling } from "./llama3-scaling.js";
import { longRope } from "./long-rope.js";
import type { RopeScaling } from "./rope-scaling.js";
import { rope } from "./rope.js";
import { yarn } from "./yarn.js";

const headDim = 8;
const originalLength = 512;
const four = (value: number) => [value, value, value, value];

/** Each scaling at a factor. */
const scalings: readonly ((factor: number) => RopeScaling)[] = [
  (factor) => linearScaling(factor),
  (factor) => dynamicNtk({ factor, originalLength }),
  (factor) => yarn({ factor, originalLength }),
  (factor) => llama3Scaling({ factor, originalLength }),
  (factor) => longRope({ shortFactors: four(1), longFactors: four(factor), factor, originalLength }),
];

const scaling = fc.constantFrom(...scalings);
const dtype = fc.constantFrom("float32", "float64");
const layout = fc.constantFrom("half", "interleaved");

test("property: with a factor of 1, every scaling equals the plain embedding, bit for bit", () => {
  fc.assert(
    fc.property(scaling, dtype, layout, fc.nat(originalLength - 3), (make, dtype, layout, start) => {
      const x = randn([1, 2, 3, headDim], { seed: start, dtype });
      const plain = rope({ headDim, layout }).apply(x, { start });
      expect(rope({ headDim, layout, scaling: make(1) }).apply(x, { start }).data).toEqual(plain.data);
    }),
  );
  // Beyond the trained length too, but for dynamic NTK: there its base grows with length at any factor.
  const x = randn([1, 1, 1, headDim], { seed: 1 });
  const beyond = { start: 4 * originalLength };
  const plain = rope({ headDim }).apply(x, beyond).data;
  scalings.forEach((make, n) => {
    const { data } = rope({ headDim, scaling: make(1) }).apply(x, beyond);
    if (n === 1) expect(data).not.toEqual(plain);
    else expect(data).toEqual(plain);
  });
});

test("property: scores depend only on the distance, and are multiplied by the square of the attention factor", () => {
  fc.assert(
    fc.property(scaling, fc.nat(300), fc.nat(300), fc.nat(100), (make, i, j, shift) => {
      const scaling = make(4);
      const { apply } = rope({ headDim, scaling });
      const [q, k] = [0, 1].map((seed) => randn([1, 1, 1, headDim], { seed, dtype: "float64" })) as [
        Tensor,
        Tensor,
      ];
      const score = (i: number, j: number) =>
        matmul(apply(q, { start: i }), transpose(apply(k, { start: j }))).data[0]!;
      expect(score(i + shift, j + shift)).toBeCloseTo(score(i, j), 10);
      const { attentionFactor } = scaling.rotaryFrequencies({ base: 10000, rotaryDim: headDim, length: 1 });
      const unturned = matmul(q, transpose(k)).data[0]!;
      expect(score(i, i)).toBeCloseTo(attentionFactor ** 2 * unturned, 10);
    }),
  );
});

test("property: scaled frequencies are at most the plain ones, and at least those divided by the factor", () => {
  fc.assert(
    fc.property(scaling, fc.double({ min: 1, max: 64, noNaN: true }), (make, factor) => {
      const length = 64 * originalLength;
      const { frequencies } = make(factor).rotaryFrequencies({ base: 10000, rotaryDim: headDim, length });
      frequencies.forEach((frequency, i) => {
        const plain = 10000 ** ((-2 * i) / headDim);
        expect(frequency).toBeLessThanOrEqual(plain * (1 + 1e-12));
        // Dynamic NTK slows by how far the length itself has grown.
        expect(frequency).toBeGreaterThanOrEqual((plain / (factor * 64)) * (1 - 1e-12));
      });
    }),
  );
});

test("gradients flow through scaled rotations", () => {
  for (const make of scalings) {
    const { apply } = rope({ headDim, scaling: make(4) });
    const [x, dy] = [1, 2].map((seed) => randn([1, 2, 3, headDim], { seed, dtype: "float64" })) as [
      Tensor,
      Tensor,
    ];
    checkGradient((x) => sum(mul(apply(x, { start: 600 }), dy)), x);
  }
});

test("a scaling applies to the rotated part of a head, and is part of the name", () => {
  const { apply, name } = rope({ headDim: 12, rotaryDim: 8, scaling: linearScaling(2) });
  const x = randn([1, 1, 2, 12], { seed: 1 });
  expect(apply(x, { start: 6 }).data.slice(8, 12)).toEqual(x.data.slice(8, 12));
  expect(name).toBe(
    'rope({ headDim: 12, base: 10000, layout: "half", rotaryDim: 8, scaling: linearScaling(2) })',
  );
});

test("values that are not scalings, and factors below 1, are refused, with the fix", () => {
  expect(() => rope({ headDim, scaling: { rope_type: "yarn", factor: 4 } as never })).toThrow(
    /rope: `scaling` is .*, expected a scaling such as `yarn\(.*\nFix: call linearScaling, dynamicNtk, yarn/,
  );
  for (const make of scalings) {
    for (const factor of [0.5, NaN, Infinity]) {
      expect(() => make(factor)).toThrow(
        /`(factor|longFactors)` is .*, expected a finite number, 1 or more.\nFix: take it from the model's `rope_scaling`/,
      );
    }
  }
});
