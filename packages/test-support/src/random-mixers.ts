import { abs, add, exp, mul, neg, randn, sigmoid, slice, splitSeed, type Tensor } from "@qkv/tensor";
import * as attention from "@qkv/attention";
import { catalogue } from "@qkv/attention/catalogue";
import type { Mixer, OwnFormMixer } from "@qkv/attention";

type AnyMixer = Mixer<string, string>;
type OwnForm = OwnFormMixer<string, string, object>;
/** Declared axes: all that inputs depend on. */
type Declared = Pick<AnyMixer, "inputs" | "optional">;

/** Mixers of the catalogue that cannot be made without arguments, and forms beside the default. */
const kinds: Readonly<Record<string, readonly (AnyMixer | OwnForm)[]>> = {
  lightningAttention: [attention.lightningAttention({ layer: 1, numLayers: 4 })],
  based: [attention.based(), attention.based({ normalize: false })],
  rebased: [attention.rebased({ normalize: false })],
  tttLinear: [attention.tttLinear({ miniBatchSize: 3 }) as unknown as OwnForm],
  titans: [attention.titans({ chunkSize: 3 }) as unknown as OwnForm],
  linearAttention: [attention.linearAttention(), attention.linearAttention({ normalize: true })],
};

const all = catalogue
  .filter(({ kind }) => kind === "mixer")
  .flatMap(
    ({ exports: [name] }) =>
      kinds[name] ?? [(attention as unknown as Record<string, () => AnyMixer>)[name]!()],
  );

/** Every mixer of the catalogue that is linear in its state, made without arguments or as listed above. */
export const mixers = all.filter((mixer): mixer is AnyMixer => !("ownForm" in mixer));

/** Every mixer of the catalogue that has a form of its own. */
export const ownForms = all.filter((mixer): mixer is OwnForm => "ownForm" in mixer);

/** Sizes of random inputs. `keyHeads`: heads of query and key, a divisor of H. `steps`: those of a token, n in "nT". */
export type InputSizes = {
  B: number;
  H: number;
  T: number;
  K: number;
  V: number;
  keyHeads?: number;
  steps?: number;
};

/** Random inputs of a mixer, made from the axes it declares, float64. `alternative`: which axes, where several are allowed. */
export function randomInputs(
  mixer: Declared,
  sizes: InputSizes,
  seed: number,
  alternative = 0,
): Record<string, Tensor> {
  const axesOf = { ...mixer.inputs, ...mixer.optional } as Record<string, string>;
  const names = Object.keys(axesOf);
  const seeds = splitSeed(seed, names);
  return Object.fromEntries(
    names.map((name) => {
      const choices = axesOf[name]!.split(" | ");
      const axes = choices[alternative % choices.length]!.split(" ");
      const heads = name === "query" || name === "key" ? (sizes.keyHeads ?? sizes.H) : sizes.H;
      const others = { nT: sizes.T * (sizes.steps ?? 2), M: 3, L: 5, N: 3 }; // slots, levels for 16 tokens, taps
      const lengths: Record<string, number> = { ...sizes, ...others, H: heads };
      const shape = axes.map((axis) => lengths[axis]!);
      return [name, valuesFor(name, randn(shape, { seed: seeds[name]!, dtype: "float64" }))];
    }),
  );
}

/** Numbers that an input may have: logarithms of decays, rates from 0 to 1, positive times, penalties, keys that are not long. */
function valuesFor(name: string, x: Tensor): Tensor {
  if (/decay|^A$/i.test(name)) return neg(abs(x));
  if (name === "regularization") return add(exp(x), 0.2);
  if (/learningRate|forget|momentum/.test(name)) return mul(sigmoid(x), 0.5);
  if (/beta|gate|rate|^write$/i.test(name)) return sigmoid(x);
  if (/time/i.test(name)) return exp(x);
  return /key|erase/i.test(name) ? mul(x, 0.5) : x;
}

/** The tokens `from … to - 1` of a mixer's inputs. What has no tokens stays. */
export function sliceTokens(
  mixer: Declared,
  inputs: Record<string, Tensor>,
  from: number,
  to: number,
  T: number,
) {
  return mapTokens(mixer, inputs, (x, axis) => {
    const perToken = x.shape[axis]! / T;
    return slice(x, axis, from * perToken, to * perToken);
  });
}

/** `f` of each input that has tokens, with their axis. */
export function mapTokens(
  mixer: Declared,
  inputs: Record<string, Tensor>,
  f: (x: Tensor, axis: number) => Tensor,
): Record<string, Tensor> {
  const axesOf = { ...mixer.inputs, ...mixer.optional } as Record<string, string>;
  return Object.fromEntries(
    Object.entries(inputs).map(([name, x]) => {
      const axes = axesOf[name]!.split(" | ").find((axes) => axes.split(" ").length === x.shape.length)!;
      const axis = axes.split(" ").findIndex((one) => one === "T" || one === "nT");
      return [name, axis < 0 ? x : f(x, axis)];
    }),
  );
}
