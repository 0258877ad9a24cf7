// Properties of every mixer with a form of its own.
import { mapTokens, randomInputs as inputsOf } from "@qkv/test-support/random-mixers";
import {
  add,
  cast,
  checkGradient,
  concat,
  contiguous,
  mapTensors,
  mul,
  pad,
  randn,
  slice,
  sum,
  tensorsOf,
  type Tensor,
} from "@qkv/tensor";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runs } from "../../../../scripts/tier.mjs";
import { abc } from "./abc.js";
import { chunkwise } from "./chunkwise.js";
import { deltaFormer } from "./delta-former.js";
import { gatedSlotAttention } from "./gated-slot-attention.js";
import { logLinearAttention } from "./log-linear-attention.js";
import { mesaNet } from "./mesa-net.js";
import { mix } from "./mix.js";
import type { OwnFormMixer } from "./own-form-mixer.js";
import { shortConvolution } from "./short-convolution.js";
import { titans } from "./titans.js";
import { tttLinear } from "./ttt-linear.js";

type AnyMixer = OwnFormMixer<string, string, object>;

/** Each mixer with small chunks. After it, where the chunk size changes no result, the same mixer with other sizes. */
const mixers = [
  [tttLinear({ miniBatchSize: 3 })],
  [titans({ chunkSize: 3 })],
  [mesaNet({ chunkSize: 3 }), mesaNet({ chunkSize: 1 }), mesaNet()],
  [gatedSlotAttention({ chunkSize: 3 }), gatedSlotAttention({ chunkSize: 1 }), gatedSlotAttention()],
  [abc({ chunkSize: 3 }), abc({ chunkSize: 1 }), abc()],
  [logLinearAttention({ chunkSize: 4 }), logLinearAttention({ chunkSize: 1 }), logLinearAttention()],
  [deltaFormer({ blockSize: 3 }), deltaFormer({ blockSize: 1 }), deltaFormer()],
  [shortConvolution()],
] as unknown as readonly (readonly [AnyMixer, ...AnyMixer[]])[];

const few = fc.integer({ min: 1, max: 4 });
const randomInputs = (mixer: AnyMixer, T: number, seed: number, keyHeads = 2) =>
  inputsOf(mixer, { B: 2, H: 2, T, K: 3, V: 2, keyHeads }, seed);

/** `f` of each input that has an axis of this letter. */
const mapAxes = (
  mixer: AnyMixer,
  inputs: Record<string, Tensor>,
  letter: string,
  f: (x: Tensor, axis: number) => Tensor,
) =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, x]) => {
      const axes = ({ ...mixer.inputs, ...mixer.optional } as Record<string, string>)[name]!;
      const axis = axes.split(" ").indexOf(letter);
      return [name, axis < 0 ? x : f(x, axis)];
    }),
  );
const part = (mixer: AnyMixer, inputs: Record<string, Tensor>, from: number, to: number) =>
  mapTokens(mixer, inputs, (x, axis) => slice(x, axis, from, to));

/**
 * True if the last documents of the two sequences differ in length. `ends`: tokens before the padding of each sequence.
 * `cuts`: tokens of its document 0.
 */
function unequal(ends: readonly number[], cuts: readonly number[]): boolean {
  const [first, second] = ends.map((end, b) => (cuts[b]! < end ? end - cuts[b]! : end));
  return first !== second;
}

function expectClose(ours: object, theirs: object, tolerance: number): void {
  const [left, right] = [tensorsOf(ours), tensorsOf(theirs)];
  expect(left.map(({ shape }) => shape)).toEqual(right.map(({ shape }) => shape));
  left.forEach((x, i) => {
    const scale = Math.max(1, ...Array.from(right[i]!.data, Math.abs));
    x.data.forEach((value, j) => {
      expect(Math.abs(value - right[i]!.data[j]!) / scale).toBeLessThanOrEqual(tolerance);
    });
  });
}

describe.each(mixers.map((same) => ({ name: same[0].name, mixer: same[0], others: same.slice(1) })))(
  "$name",
  ({ mixer, others }) => {
    const seed = fc.nat(10000);

    test("property: a sequence in parts, down to single tokens, gives the same as the whole", () => {
      fc.assert(
        fc.property(
          fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
          seed,
          (lengths, seed) => {
            const T = lengths.reduce((a, b) => a + b, 0);
            const inputs = randomInputs(mixer, T, seed);
            const whole = mix(mixer, inputs);
            const outputs: Tensor[] = [];
            let [from, state] = [0, undefined as object | undefined];
            for (const length of lengths) {
              const next = mix(
                mixer,
                part(mixer, inputs, from, (from += length)),
                state && { initialState: state },
              );
              outputs.push(next.output);
              state = next.state;
            }
            expectClose({ output: concat(outputs, 2), state: state! }, whole, 1e-11);
          },
        ),
        { numRuns: runs(25) },
      );
    });

    test("property: packed documents give the same as each by itself, and the state is that of the last", () => {
      fc.assert(
        fc.property(fc.array(few, { minLength: 1, maxLength: 4 }), seed, (lengths, seed) => {
          const T = lengths.reduce((a, b) => a + b, 0);
          const inputs = randomInputs(mixer, T, seed);
          const initialState = mix(mixer, randomInputs(mixer, 2, seed + 1)).state;
          let from = 0;
          const alone = lengths.map((length, i) => {
            const own = part(mixer, inputs, from, (from += length));
            return mix(mixer, own, i === 0 ? { initialState } : {});
          });
          const documents = lengths.flatMap((length, i) => new Array<number>(length).fill(i));
          const packed = mix(mixer, inputs, { initialState, documents });
          const outputs = alone.map(({ output }) => output);
          expectClose(packed, { output: concat(outputs, 2), state: alone.at(-1)!.state }, 1e-11);
        }),
        { numRuns: runs(15) },
      );
    });

    test("property: padding changes nothing, whatever it contains, and its outputs are zeros", () => {
      fc.assert(
        fc.property(few, few, seed, (T, more, seed) => {
          const inputs = randomInputs(mixer, T, seed);
          const padded = mapTokens(mixer, inputs, (x, axis) => pad(x, axis, 0, more, NaN));
          const initialState = mix(mixer, randomInputs(mixer, 3, seed + 1)).state;
          const alone = mix(mixer, inputs, { initialState });
          const { output, state } = mix(mixer, padded, { initialState, padding: [T, T] });
          expectClose({ output: slice(output, 2, 0, T), state }, alone, 0);
          expect(new Set(contiguous(slice(output, 2, T)).data)).toEqual(new Set([0]));
        }),
        { numRuns: runs(15) },
      );
    });

    test("property: sequences with different documents and lengths give the same as each by itself, also in the next call", () => {
      const lengths = fc.tuple(few, few);
      fc.assert(
        fc.property(lengths, lengths, seed, (firstCuts, ends, seed) => {
          const T = 8;
          const [inputs, rest] = [randomInputs(mixer, T, seed), randomInputs(mixer, 3, seed + 1)];
          const documents = firstCuts.map((cut) => Array.from({ length: T }, (_, t) => (t < cut ? 0 : 1)));
          const padding = ends.map((end) => end + 3);
          const batch = (of: Record<string, Tensor>, b: number) =>
            mapAxes(mixer, of, "B", (x, axis) => slice(x, axis, b, b + 1));
          const alone = [0, 1].map((b) => {
            const own = { documents: documents[b]!, padding: [padding[b]!] };
            const first = mix(mixer, batch(inputs, b), own);
            return { first, then: mix(mixer, batch(rest, b), { initialState: first.state }) };
          });
          const both = (step: "first" | "then") => ({
            output: concat(
              alone.map((each) => each[step].output),
              0,
            ),
            state: Object.fromEntries(
              Object.keys(mixer.stateAxes).map((name) => [
                name,
                concat(
                  alone.map((each) => (each[step].state as Record<string, Tensor>)[name]!),
                  0,
                ),
              ]),
            ),
          });
          const packed = () => mix(mixer, inputs, { documents, padding });
          if (mixer.name.startsWith("deltaFormer") && unequal(padding, firstCuts)) {
            expect(packed).toThrow(/`documents or padding` .*\nFix: mix batches of different lengths apart/);
            return;
          }
          const first = packed();
          expectClose(first, both("first"), 1e-11);
          expectClose(mix(mixer, rest, { initialState: first.state }), both("then"), 1e-11);
        }),
        { numRuns: runs(20) },
      );
    });

    test("the block size does not change the result", () => {
      const inputs = randomInputs(mixer, 11, 5);
      for (const other of others) expectClose(mix(other, inputs), mix(mixer, inputs), 1e-11);
    });

    test("shared query and key heads give the same as repeated ones", () => {
      const inputs = randomInputs(mixer, 5, 6, 1);
      const repeated = Object.fromEntries(
        Object.entries(inputs).map(([name, x]) => [name, x.shape[1] === 1 ? concat([x, x], 1) : x]),
      );
      expectClose(mix(mixer, inputs), mix(mixer, repeated), 1e-12);
    });

    test("gradients of every input, through the output and the state, equal central differences", () => {
      const inputs = randomInputs(mixer, 5, 7);
      const [first, rest] = [part(mixer, inputs, 0, 2), part(mixer, inputs, 2, 5)];
      const weighted = (trees: object) =>
        tensorsOf(trees)
          .map((x, i) => sum(mul(x, randn(x.shape, { seed: 30 + i, dtype: "float64" }))))
          .reduce((a, b) => add(a, b));
      const step = ({ first, rest }: { first: Record<string, Tensor>; rest: Record<string, Tensor> }) => {
        const { output, state } = mix(mixer, first);
        return weighted({ output, next: mix(mixer, rest, { initialState: state }) });
      };
      checkGradient(step, { first, rest }, { tolerance: 1e-5 });
    });

    test("float32 agrees with float64 under strong decays", () => {
      const inputs = randomInputs(mixer, 16, 8);
      const strong = Object.fromEntries(
        Object.entries(inputs).map(([name, x]) => [name, name === "decay" ? mul(x, 40) : x]),
      );
      const rounded = mix(
        mixer,
        mapTensors(strong, (x) => cast(x, "float32")),
      );
      expectClose(
        mapTensors(rounded, (x) => cast(x, "float64")),
        mix(mixer, strong),
        1e-4,
      );
    });

    test("unknown inputs and options are refused, with the fix", () => {
      const inputs = randomInputs(mixer, 4, 9);
      expect(() => mix(mixer, inputs, { form: chunkwise() } as never)).toThrow(
        /mix: `form` is .*, expected nothing for .*, which has a form of its own.\nFix: leave it out/,
      );
      expect(() => mix(mixer, inputs, { documents: [0, 0, 1] })).toThrow(/mix: `documents` .*expected 4 num/);
      expect(() => mix(mixer, inputs, { documents: [0, 1, 0, 0] })).toThrow(
        /mix: `documents` is "0 at token 2/,
      );
      expect(() => mix(mixer, inputs, { padding: [4] })).toThrow(
        /mix: `padding` .*expected 2, one per batch element/,
      );
      expect(() => mix(mixer, inputs, { padding: [4, 0] })).toThrow(
        /mix: `padding` is "a batch without a real token", expected one token or more .*\nFix: leave that batch element out/,
      );
      expect(() => mix(mixer, { ...inputs, gate: inputs["value"]! })).toThrow(/mix: `gate` is/);
      expect(() => mix(mixer, part(mixer, inputs, 0, 0))).toThrow(/the number of tokens` is 0/);
      const { state } = mix(mixer, inputs);
      const [name] = Object.keys(mixer.stateAxes);
      const wrong = { ...state, [name!]: randn([1, 1, 1, 1, 1], { seed: 1, dtype: "float64" }) };
      expect(() => mix(mixer, inputs, { initialState: wrong })).toThrow(
        new RegExp(`mix: \`initialState.${name}\` .*\\nFix: give the \`state\` that an earlier call`),
      );
    });
  },
);
