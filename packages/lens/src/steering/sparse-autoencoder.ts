import { checks, ShapeError, type Checks } from "@qkv/core";
import {
  add,
  checkTensor,
  greater,
  greaterEqual,
  isTensor,
  linear,
  relu,
  reshape,
  slice,
  sub,
  topK,
  transpose,
  where,
  zerosLike,
  type Tensor,
} from "@qkv/tensor";
import type { Hooks } from "../run-with-trace.js";

/** Options of a sparse autoencoder. */
export type SparseAutoencoderOptions = {
  /**
   * `relu`; `jumprelu`, with the tensor `threshold`; `{ topK }`, which keeps the k largest features of a row. Default: `jumprelu` if
   * there is a tensor `threshold`, otherwise `relu`.
   */
  readonly activation?: "relu" | "jumprelu" | { readonly topK: number };
  /** Subtracts the decoder's bias from the input, as `apply_b_dec_to_input` of SAELens. Default false. */
  readonly subtractDecoderBias?: boolean;
};

/** A sparse autoencoder: encodes rows `[…, C]` to sparse features `[…, F]`, and decodes them. */
export type SparseAutoencoder = {
  /** C, the width of the rows. */
  readonly embedDim: number;
  /** F, the number of features. */
  readonly numFeatures: number;
  /** Rows `[…, C]` to features `[…, F]`. */
  encode(x: Tensor): Tensor;
  /** Features `[…, F]` to rows `[…, C]`. */
  decode(features: Tensor): Tensor;
  /** The decoder's direction of a feature, `[C]`, for `steer`. `feature`: index from 0. */
  direction(feature: number): Tensor;
  /**
   * Hooks that run a tensor through the autoencoder and change its features.
   *
   * @param name - Full name of a tensor `[B, T, C]`, the one that the autoencoder was trained on.
   * @param change - Changes features. Default: none. The reconstruction error is added back, so a run without a change is
   *   unchanged.
   */
  hooks(name: string, change?: (features: Tensor) => Tensor): Hooks;
};

/**
 * Creates a sparse autoencoder from tensors of SAELens, `W_enc` `[C, F]`, `b_enc`, `W_dec` `[F, C]`, `b_dec` and `threshold`, or
 * of EleutherAI's sparsify, `encoder.weight` `[F, C]`, `encoder.bias`, `W_dec` and `b_dec`.
 *
 * @param tensors - Tensors by name, from `readSafetensors` of `@qkv/tensor/safetensors`.
 * @throws {ArgumentError} If a tensor is missing. {@link ShapeError} If they do not fit each other.
 * @see "Sparse Autoencoders Find Highly Interpretable Features in Language Models" (2023), arXiv:2309.08600; JumpReLU:
 *   arXiv:2407.14435 (2024); top-k: arXiv:2406.04093 (2024)
 *
 * @example
 * ```ts
 * import { randn, zeros } from "@qkv/tensor";
 * import { sparseAutoencoder } from "@qkv/lens";
 *
 * const tensors = {
 *   W_enc: randn([4, 16], { seed: 1 }), b_enc: zeros([16]),
 *   W_dec: randn([16, 4], { seed: 2 }), b_dec: zeros([4]),
 * };
 * const sae = sparseAutoencoder(tensors, { activation: { topK: 2 } });
 * const features = sae.encode(randn([1, 3, 4], { seed: 3 }));
 * features.data.filter((x) => x > 0).length <= 6; // => true
 * sae.decode(features).shape; // => [1, 3, 4]
 * ```
 */
export function sparseAutoencoder(
  tensors: Readonly<Record<string, Tensor>>,
  options?: SparseAutoencoderOptions,
): SparseAutoencoder {
  const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
  check.each({ tensors }, isObject, "tensors by name", "give the `tensors` of `readSafetensors`.");
  const given = check.options(options, ["activation", "subtractDecoderBias"]);
  const { W_enc, threshold } = tensors;
  const encoder = W_enc
    ? transpose(requiredTensor(tensors, "W_enc"))
    : requiredTensor(tensors, "encoder.weight"); // [F, C]
  const encoderBias = requiredTensor(tensors, W_enc ? "b_enc" : "encoder.bias");
  const decoder = requiredTensor(tensors, "W_dec"); // [F, C]
  const decoderBias = requiredTensor(tensors, "b_dec");
  const [F, C] = encoder.shape as [number, number];
  const fits = { W_dec: [decoder, [F, C]], b_enc: [encoderBias, [F]], b_dec: [decoderBias, [C]] } as const;
  for (const [name, [x, shape]] of Object.entries(fits)) {
    if (x.shape.join() === shape.join()) continue;
    const expected = `[${shape.join(", ")}], as the encoder is [${F}, ${C}]`;
    check.refuse(
      { argument: `tensors.${name}`, received: x.shape, expected, fix: "read the tensors of one file." },
      ShapeError,
    );
  }
  const { activation = threshold ? "jumprelu" : "relu", subtractDecoderBias = false } = given;
  check.type({ subtractDecoderBias }, "boolean");
  const activate = activationFunction(activation, threshold);
  const encode = (x: Tensor): Tensor => {
    const { shape } = checkTensor("encode", "x", x);
    check.each({ x: shape }, () => shape.at(-1) === C, `rows of ${C} numbers`);
    return activate(linear(subtractDecoderBias ? sub(x, decoderBias) : x, encoder, encoderBias));
  };
  const decode = (features: Tensor): Tensor => {
    const { shape } = checkTensor("decode", "features", features);
    check.each({ features: shape }, () => shape.at(-1) === F, `rows of ${F} numbers`);
    return linear(features, transpose(decoder), decoderBias);
  };
  return {
    embedDim: C,
    numFeatures: F,
    encode,
    decode,
    direction(feature) {
      check.whole({ feature }, { min: 0, max: F - 1, fix: "count features from 0." });
      return reshape(slice(decoder, 0, feature, feature + 1), [C]);
    },
    hooks(name, change = (features) => features) {
      check.type({ name }, "string", "give the full name of a tensor: `layers.1.output`.");
      check.type({ change }, "function");
      return {
        [name]: (x) => {
          const features = encode(x);
          return add(x, sub(decode(change(features)), decode(features)));
        },
      };
    },
  };
}

function activationFunction(
  activation: NonNullable<SparseAutoencoderOptions["activation"]>,
  threshold: Tensor | undefined,
): (x: Tensor) => Tensor {
  if (typeof activation === "object" && activation !== null) {
    const { topK: count } = check.options(activation, ["topK"], "activation");
    check.whole({ "activation.topK": count }, { min: 1 });
    return (x) => {
      const { values } = topK(x, count);
      const kthLargest = slice(values, values.shape.length - 1, count - 1, count); // […, 1]
      return relu(where(greaterEqual(x, kthLargest), x, zerosLike(x)));
    };
  }
  check.oneOf({ activation }, ["relu", "jumprelu"], "or `{ topK: 32 }`.");
  if (activation === "relu") return relu;
  check.each({ "tensors.threshold": threshold }, isTensor, "a tensor [F], as the activation is jumprelu");
  return (x) => where(greater(x, threshold!), relu(x), 0);
}

function requiredTensor(tensors: Readonly<Record<string, Tensor>>, name: string): Tensor {
  const x = tensors[name];
  if (isTensor(x)) return x;
  const received = Object.keys(tensors).join(", ");
  const fix = "give the tensors of a sparse autoencoder: `W_enc`, `b_enc`, `W_dec`, `b_dec`.";
  return check.refuse({ argument: "tensors", received, expected: `a tensor ${name}`, fix });
}

const check: Checks = /* @__PURE__ */ checks("sparseAutoencoder");
