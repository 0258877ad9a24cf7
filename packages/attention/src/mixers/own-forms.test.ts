// Properties of every mixer with a form of its own.
import {
  abs,
  add,
  cast,
  checkGradient,
  concat,
  exp,
  mapTensors,
  mul,
  neg,
  randn,
  sigmoid,
  slice,
  splitSeed,
  sum,
  tensorsOf,
  type Tensor,
} from "@qkv/tensor";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
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

/** Each with small blocks, and the same with other blocks where those change no number. */
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

const L = 5; // levels, for 16 tokens

function randomInputs(mixer: AnyMixer, T: number, seed: number, heads = 2): Record<string, Tensor> {
  const axesOf: Record<string, string> = { ...mixer.inputs, ...mixer.optional };
  const seeds = splitSeed(seed, Object.keys(axesOf));
  const lengths: Record<string, number> = { B: 2, T, K: 3, V: 2, M: 3, L, N: 3 };
  return Object.fromEntries(
    Object.entries(axesOf).map(([name, axes]) => {
      const H = /query|key/.test(name) ? heads : 2;
      const shape = axes.split(" ").map((axis) => (axis === "H" ? H : lengths[axis]!));
      return [name, valuesFor(name, randn(shape, { seed: seeds[name]!, dtype: "float64" }))];
    }),
  );
}

/** Numbers that an input may have: logarithms of decays, rates from 0 to 1, penalties above 0. */
function valuesFor(name: string, x: Tensor): Tensor {
  if (name === "decay") return neg(abs(x));
  if (name === "regularization") return add(exp(x), 0.2);
  return /beta|forget|momentum|learningRate|write/.test(name) ? mul(sigmoid(x), 0.5) : x;
}

const part = (mixer: AnyMixer, inputs: Record<string, Tensor>, from: number, to: number) =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, x]) => {
      const axes = ({ ...mixer.inputs, ...mixer.optional } as Record<string, string>)[name]!;
      const axis = axes.split(" ").indexOf("T");
      return [name, axis < 0 ? x : slice(x, axis, from, to)];
    }),
  );

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

    test("property: a sequence in parts, down to single tokens, gives what the whole gives", () => {
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
            expect(JSON.stringify({ ...state, ...mapTensors(state!, () => 0) })).toBe(
              JSON.stringify({ ...whole.state, ...mapTensors(whole.state, () => 0) }),
            );
          },
        ),
        { numRuns: 25 },
      );
    });

    test("the size of blocks changes no number", () => {
      const inputs = randomInputs(mixer, 11, 5);
      for (const other of others) expectClose(mix(other, inputs), mix(mixer, inputs), 1e-11);
    });

    test("heads of queries and keys are shared as if they were repeated", () => {
      const inputs = randomInputs(mixer, 5, 6, 1);
      const repeated = Object.fromEntries(
        Object.entries(inputs).map(([name, x]) => [name, x.shape[1] === 1 ? concat([x, x], 1) : x]),
      );
      expectClose(mix(mixer, inputs), mix(mixer, repeated), 1e-12);
    });

    test("gradient: of every input, through the output and the state", () => {
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

    test("packed documents equal each alone, and the first goes on from the initial state", () => {
      const { state: initialState } = mix(mixer, randomInputs(mixer, 3, 20));
      const inputs = randomInputs(mixer, 8, 21);
      const packed = mix(mixer, inputs, { initialState, documents: [0, 0, 1, 2, 2, 2, 5, 5] });
      const alone = [
        mix(mixer, part(mixer, inputs, 0, 2), { initialState }),
        ...[
          [2, 3],
          [3, 6],
          [6, 8],
        ].map(([from, to]) => mix(mixer, part(mixer, inputs, from!, to!))),
      ];
      const output = concat(
        alone.map(({ output }) => output),
        2,
      );
      expectClose(packed, { output, state: alone.at(-1)!.state }, 1e-12);
    });

    test("padding of any content changes nothing, and gives zeros", () => {
      const inputs = randomInputs(mixer, 6, 22);
      const axesOf: Record<string, string> = { ...mixer.inputs, ...mixer.optional };
      const dirty = Object.fromEntries(
        Object.entries(inputs).map(([name, x]) => {
          if (!axesOf[name]!.includes(" T")) return [name, x];
          const [head, tail] = [slice(x, 2, 0, 4), slice(x, 2, 4)];
          return [name, concat([head, mul(tail, NaN)], 2)];
        }),
      );
      const padded = mix(mixer, dirty, { padding: [4, 4] });
      const real = mix(mixer, part(mixer, inputs, 0, 4));
      expectClose(slice(padded.output, 2, 0, 4), real.output, 1e-12);
      expectClose(padded.state, real.state, 1e-12);
      expect(slice(padded.output, 2, 4).data.every((value) => value === 0)).toBe(true);
    });

    test("float32 stays near float64, under strong decays", () => {
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

    test("what it does not take is refused, with the fix", () => {
      const inputs = randomInputs(mixer, 4, 9);
      expect(() => mix(mixer, inputs, { form: chunkwise() } as never)).toThrow(
        /mix: `form` is .*, expected nothing for .*, which has a form of its own.\nFix: leave it out/,
      );
      expect(() => mix(mixer, inputs, { padding: [4, 0] })).toThrow(
        /mix: `padding` is .*, expected 1 real token or more in each batch.\nFix: leave empty batches out/,
      );
      expect(() => mix(mixer, inputs, { documents: [0, 0, 1] })).toThrow(/mix: `documents` is/);
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

test("batches of documents of their own, and of lengths of their own, equal each batch alone", () => {
  const mixer = shortConvolution();
  const inputs = randomInputs(mixer as never, 6, 23) as never as Parameters<typeof mix>[1];
  const documents = [
    [0, 0, 1, 1, 1, 1],
    [0, 0, 0, 0, 2, 2],
  ];
  const both = mix(mixer, inputs as never, { documents, padding: [5, 6] });
  [0, 1].forEach((b) => {
    const batch = Object.fromEntries(
      Object.entries(inputs).map(([name, x]) => [name, x.shape.length === 4 ? slice(x, 0, b, b + 1) : x]),
    );
    const alone = mix(mixer, batch as never, { documents: documents[b]!, padding: [5 + b] });
    expectClose(
      mapTensors(both, (x) => slice(x, 0, b, b + 1)),
      alone,
      0,
    );
  });
  const ttt = tttLinear({ miniBatchSize: 3 });
  const ragged = randomInputs(ttt as never, 6, 24);
  expect(() => mix(ttt, ragged as never, { padding: [5, 4] })).toThrow(/\nFix: mix each batch alone/);
});
