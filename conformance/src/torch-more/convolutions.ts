import { permute, reshape, take, tensor, type Tensor } from "@qkv/tensor";
import {
  avgPool1d,
  avgPool2d,
  conv1d,
  conv2d,
  maxPool1d,
  maxPool2d,
  type PerAxis,
} from "@qkv/tensor/convolutions";
import { defineReferenceOp, type ReferenceOp } from "../reference-op.js";

const output = (x: Tensor) => ({ output: x });
const ofConvolution = {
  stride: 1 as PerAxis,
  padding: 0 as PerAxis | "same",
  dilation: 1 as PerAxis,
  groups: 1,
};
const ofPool = {
  kernel_size: 1 as PerAxis,
  stride: undefined as PerAxis | undefined,
  padding: 0 as PerAxis,
  ceil_mode: false,
};
type Pool = typeof ofPool;
const poolOptions = ({ kernel_size, stride = kernel_size, padding, ceil_mode }: Pool) => ({
  stride,
  padding,
  ceilMode: ceil_mode,
});

/** Convolutions, pooling, and functions that rearrange the pixels of images. */
export const convolutions: readonly ReferenceOp[] = [
  ...(
    [
      ["conv1d", conv1d],
      ["conv2d", conv2d],
    ] as const
  ).map(([name, convolution]) =>
    defineReferenceOp({
      name,
      inputs: ["input", "weight"],
      optionalInputs: ["bias"],
      attributes: ofConvolution,
      run: ({ input, weight, bias }, attributes) =>
        output(convolution(input, weight, { ...attributes, ...(bias && { bias }) })),
    }),
  ),
  ...(
    [
      ["max_pool1d", maxPool1d],
      ["max_pool2d", maxPool2d],
    ] as const
  ).map(([name, pool]) =>
    defineReferenceOp({
      name,
      inputs: ["input"],
      attributes: ofPool,
      run: ({ input }, attributes) => output(pool(input, attributes.kernel_size, poolOptions(attributes))),
    }),
  ),
  ...(
    [
      ["avg_pool1d", avgPool1d],
      ["avg_pool2d", avgPool2d],
    ] as const
  ).map(([name, pool]) =>
    defineReferenceOp({
      name,
      inputs: ["input"],
      attributes: { ...ofPool, count_include_pad: true },
      run: ({ input }, { count_include_pad: countIncludePad, ...attributes }) =>
        output(pool(input, attributes.kernel_size, { ...poolOptions(attributes), countIncludePad })),
    }),
  ),
  defineReferenceOp({
    name: "pixel_shuffle",
    inputs: ["input"],
    attributes: { upscale_factor: 1 },
    run({ input }, { upscale_factor: r }) {
      const [B, C, H, W] = input.shape as [number, number, number, number];
      const apart = reshape(input, [B, C / r ** 2, r, r, H, W]);
      return output(reshape(permute(apart, [0, 1, 4, 2, 5, 3]), [B, C / r ** 2, H * r, W * r]));
    },
  }),
  defineReferenceOp({
    name: "pad",
    inputs: ["input"],
    attributes: { pad: [] as number[], mode: "reflect" as keyof typeof placeOf },
    run({ input }, { pad, mode }) {
      let x = input;
      // Pairs, starting with the last axis.
      for (let i = 0; 2 * i < pad.length; i++) {
        const axis = x.shape.length - 1 - i;
        const length = x.shape[axis]!;
        const [before, after] = pad.slice(2 * i) as [number, number];
        const places = Array.from({ length: before + length + after }, (_, k) =>
          placeOf[mode](k - before, length),
        );
        x = take(x, axis, tensor(places, { dtype: "int32", device: x.device }));
      }
      return output(x);
    },
  }),
];

/** The index on an axis that padding reads for an index outside of it. */
const placeOf = {
  reflect: (at: number, length: number) => (at < 0 ? -at : at < length ? at : 2 * length - 2 - at),
  replicate: (at: number, length: number) => Math.min(length - 1, Math.max(0, at)),
  circular: (at: number, length: number) => (at + length) % length,
};
