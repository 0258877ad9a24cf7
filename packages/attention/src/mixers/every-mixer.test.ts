// Properties of every mixer of the catalogue that is linear in its state.
import {
  mapTokens,
  mixers,
  randomInputs,
  sliceTokens,
  type InputSizes,
} from "@qkv/test-support/random-mixers";
import { withMistake, wrongScans } from "@qkv/test-support/wrong-scans";
import {
  add,
  cast,
  checkGradient,
  concat,
  contiguous,
  einsum,
  mapTensors,
  matmul,
  mul,
  pad,
  randn,
  repeat,
  slice,
  sum,
  type Tensor,
} from "@qkv/tensor";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runs } from "../../../../scripts/tier.mjs";
import { chunkwise, parallel } from "./chunkwise.js";
import { impliedWeights } from "./implied-weights.js";
import { mix } from "./mix.js";
import { recurrent } from "./recurrent.js";

const few = (min: number, max: number) => fc.integer({ min, max });
const sizes = fc
  .record({
    B: few(1, 2),
    keyHeads: few(1, 2),
    group: few(1, 2),
    T: few(1, 9),
    K: few(1, 3),
    V: few(1, 3),
    steps: few(1, 3),
  })
  .map(({ group, ...sizes }) => ({ ...sizes, H: sizes.keyHeads * group }));
const seed = fc.nat(10000);

function expectClose(ours: Tensor, theirs: Tensor, tolerance: number): void {
  expect(ours.shape).toEqual(theirs.shape);
  const scale = Math.max(1, ...Array.from(theirs.data, Math.abs));
  ours.data.forEach((x, i) => {
    if (!(Math.abs(x - theirs.data[i]!) <= tolerance * scale)) expect(x).toBeCloseTo(theirs.data[i]!, 12);
  });
}

describe.each(mixers.map((mixer) => ({ name: mixer.name, mixer })))("$name", ({ mixer }) => {
  /** A state that tokens have left: not every matrix is one. */
  const stateFor = (sizes: InputSizes) => mix(mixer, randomInputs(mixer, { ...sizes, T: 2 }, 77)).state;

  test("property: chunks of any length, and a single chunk, give the same as step by step", () => {
    fc.assert(
      fc.property(sizes, few(1, 10), few(0, 1), seed, (sizes, chunkSize, alternative, seed) => {
        const inputs = randomInputs(mixer, sizes, seed, alternative);
        const initialState = stateFor(sizes);
        const steps = mix(mixer, inputs, { initialState, form: recurrent });
        for (const form of [chunkwise(chunkSize), parallel]) {
          const chunks = mix(mixer, inputs, { initialState, form });
          expectClose(chunks.output, steps.output, 1e-9);
          expectClose(chunks.state, steps.state, 1e-9);
        }
      }),
      { numRuns: runs(40) },
    );
  });

  test("negative control: at least three kinds of wrong scans are detected", () => {
    const inputs = randomInputs(mixer, { B: 2, H: 2, T: 6, K: 3, V: 2 }, 11);
    const initialState = stateFor({ B: 2, H: 2, T: 6, K: 3, V: 2 });
    const right = mix(mixer, inputs, { initialState, form: recurrent });
    const seen = wrongScans.filter((wrong) => {
      let changes = 0;
      const form = withMistake(wrong, chunkwise(2), () => changes++);
      const { output } = mix(mixer, inputs, { initialState, form });
      const seeing = () => expectClose(output, right.output, 1e-6);
      if (changes > 0) expect(seeing, `a scan that ${wrong.name}`).toThrow(/toBeCloseTo|expected/);
      return changes > 0;
    });
    expect(seen.length).toBeGreaterThanOrEqual(3);
  });

  test("property: a sequence in segments, each continuing the state of the previous one, gives the same as the whole", () => {
    fc.assert(
      fc.property(sizes, few(0, 9), seed, (sizes, cut, seed) => {
        const inputs = randomInputs(mixer, sizes, seed);
        const at = Math.min(cut, sizes.T - 1);
        if (at === 0) return;
        const part = (from: number, to: number) => sliceTokens(mixer, inputs, from, to, sizes.T);
        const whole = mix(mixer, inputs);
        const first = mix(mixer, part(0, at));
        const second = mix(mixer, part(at, sizes.T), { initialState: first.state });
        expectClose(concat([first.output, second.output], 2), whole.output, 1e-9);
        expectClose(second.state, whole.state, 1e-9);
      }),
      { numRuns: runs(20) },
    );
  });

  test("property: packed documents give the same as each by itself, in every form", () => {
    fc.assert(
      fc.property(sizes, few(1, 4), seed, (sizes, first, seed) => {
        const { T } = sizes;
        const inputs = randomInputs(mixer, sizes, seed);
        const at = Math.min(first, T);
        const documents = Array.from({ length: T }, (_, t) => (t < at ? 7 : 3));
        const alone = [[0, at] as const, [at, T] as const]
          .filter(([from, to]) => from < to)
          .map(([from, to]) => mix(mixer, sliceTokens(mixer, inputs, from, to, T)));
        for (const form of [recurrent, chunkwise(3), parallel]) {
          const packed = mix(mixer, inputs, { documents, form });
          expectClose(
            packed.output,
            concat(
              alone.map(({ output }) => output),
              2,
            ),
            1e-9,
          );
          expectClose(packed.state, alone.at(-1)!.state, 1e-9);
        }
      }),
      { numRuns: runs(20) },
    );
  });

  test("padding changes nothing, whatever it contains, and its outputs are zeros", () => {
    const sizes = { B: 2, H: 2, T: 4, K: 3, V: 2 };
    const inputs = randomInputs(mixer, sizes, 5);
    const padded = mapTokens(mixer, inputs, (x, axis) => pad(x, axis, 0, 2 * (x.shape[axis]! / 4), NaN));
    const alone = mix(mixer, inputs);
    for (const form of [recurrent, chunkwise(3)]) {
      const { output, state } = mix(mixer, padded, { padding: [4, 4], form });
      expectClose(slice(output, 2, 0, 4), alone.output, 1e-12);
      expect(new Set(contiguous(slice(output, 2, 4)).data)).toEqual(new Set([0]));
      expectClose(state, alone.state, 1e-12);
    }
  });

  test.each([
    ["chunks", chunkwise(2)],
    ["steps", recurrent],
  ])("gradients of every input and of the state equal central differences, by %s", (_, form) => {
    const sizes = { B: 1, H: 2, T: 3, K: 2, V: 2, keyHeads: 1 };
    const inputs = randomInputs(mixer, sizes, 9);
    const given = { inputs, initialState: stateFor(sizes) };
    const { output, state: last } = mix(mixer, inputs);
    const [dOutput, dState] = [output, last].map(({ shape }, i) =>
      randn(shape, { seed: 20 + i, dtype: "float64" }),
    );
    checkGradient(({ inputs, initialState }) => {
      const result = mix(mixer, inputs, { initialState, form });
      return add(sum(mul(result.output, dOutput!)), sum(mul(result.state, dState!)));
    }, given);
  });

  test("property: the implied weights times the values equal the output", () => {
    fc.assert(
      fc.property(sizes, few(0, 1), seed, (sizes, alternative, seed) => {
        const inputs = randomInputs(mixer, sizes, seed, alternative);
        const value = repeat(inputs["value"]!, sizes.H / inputs["value"]!.shape[1]!, 1);
        const weights = impliedWeights(mixer, inputs);
        const output =
          weights.shape.length === 4 ? matmul(weights, value) : einsum("bhvts,bhsv->bhtv", weights, value);
        expectClose(output, mix(mixer, inputs).output, 1e-9);
      }),
      { numRuns: runs(20) },
    );
  });

  test("float32 chunks agree with float64 steps under strong decays", () => {
    const sizes = { B: 1, H: 2, T: 70, K: 4, V: 4 };
    const inputs = randomInputs(mixer, sizes, 3);
    const strong = Object.fromEntries(
      Object.entries(inputs).map(([name, x]) => [name, /decay/i.test(name) ? mul(x, 40) : x]),
    );
    const exact = mix(mixer, strong, { form: recurrent });
    const rounded = mix(
      mixer,
      mapTensors(strong, (x) => cast(x, "float32")),
    );
    expectClose(cast(rounded.output, "float64"), exact.output, 1e-4);
  });
});
