import { abs, add, exp, mul, neg, randn, sigmoid, slice, splitSeed, type Tensor } from "@qkv/tensor";
import * as attention from "@qkv/attention";
import { catalogue } from "@qkv/attention/catalogue";
import type { Mixer, OwnFormMixer } from "@qkv/attention";

type AnyMixer = Mixer<string, string>;
type OwnForm = OwnFormMixer<string, string, object>;
/** The axes that a mixer declares for its inputs, from which random inputs are made. */
type Declared = Pick<AnyMixer, "inputs" | "optional">;

/** Mixers of the catalogue that need arguments, or are tested with several. */
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

/** Every mixer of the catalogue that is linear in its state, without arguments or with those listed above. */
export const mixers = all.filter((mixer): mixer is AnyMixer => !("ownForm" in mixer));

/** Every mixer of the catalogue that implements its own forms, because it is not linear in its state. */
export const ownForms = all.filter((mixer): mixer is OwnForm => "ownForm" in mixer);

/** Sizes of random inputs: batch, heads, tokens, and the widths of keys and values. */
export type InputSizes = {
  B: number;
  H: number;
  T: number;
  K: number;
  V: number;
  /** Heads of query and key, a divisor of H. Default: H. */
  keyHeads?: number;
  /** Steps per token, the n of an axis "nT". Default 2. */
  steps?: number;
};

/**
 * Random inputs of a mixer in float64, with the axes that it declares.
 *
 * @param alternative - Index of the declared axes, where an input allows several.
 */
export function randomInputs(
  mixer: Declared,
  sizes: InputSizes,
  seed: number,
  alternative = 0,
): Record<string, Tensor> {
  const axesByInput = { ...mixer.inputs, ...mixer.optional } as Record<string, string>;
  const names = Object.keys(axesByInput);
  const seeds = splitSeed(seed, names);
  return Object.fromEntries(
    names.map((name) => {
      const choices = axesByInput[name]!.split(" | ");
      const axes = choices[alternative % choices.length]!.split(" ");
      const heads = name === "query" || name === "key" ? (sizes.keyHeads ?? sizes.H) : sizes.H;
      // M: memory slots. L: levels of a Fenwick tree over 16 tokens. N: taps of a convolution.
      const others = { nT: sizes.T * (sizes.steps ?? 2), M: 3, L: 5, N: 3 };
      const lengths: Record<string, number> = { ...sizes, ...others, H: heads };
      const shape = axes.map((axis) => lengths[axis]!);
      return [name, valuesFor(name, randn(shape, { seed: seeds[name]!, dtype: "float64" }))];
    }),
  );
}

/** Maps normal numbers to the range of an input: logarithms of decays ≤ 0, rates in (0, 1), time steps > 0, keys multiplied by 0.5. */
function valuesFor(name: string, x: Tensor): Tensor {
  if (/decay|^A$/i.test(name)) return neg(abs(x));
  if (name === "regularization") return add(exp(x), 0.2);
  if (/learningRate|forget|momentum/.test(name)) return mul(sigmoid(x), 0.5);
  if (/beta|gate|rate|^write$/i.test(name)) return sigmoid(x);
  if (/time/i.test(name)) return exp(x);
  return /key|erase/i.test(name) ? mul(x, 0.5) : x;
}

/** The tokens from `from` up to but excluding `to` of a mixer's inputs. Inputs without a token axis are returned as they are. */
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

/** Applies `f` to each input that has a token axis (T or nT); `axis` is that axis. */
export function mapTokens(
  mixer: Declared,
  inputs: Record<string, Tensor>,
  f: (x: Tensor, axis: number) => Tensor,
): Record<string, Tensor> {
  const axesByInput = { ...mixer.inputs, ...mixer.optional } as Record<string, string>;
  return Object.fromEntries(
    Object.entries(inputs).map(([name, x]) => {
      const axes = axesByInput[name]!.split(" | ").find((axes) => axes.split(" ").length === x.shape.length)!;
      const axis = axes.split(" ").findIndex((one) => one === "T" || one === "nT");
      return [name, axis < 0 ? x : f(x, axis)];
    }),
  );
}
