import { runAll, vjp, type Op, type Tensor, type View } from "@qkv/tensor";
import { inChunks } from "./in-chunks.js";
import { multipliedOut, type FactoredSteps, type Scanned } from "./scan.js";
import { zerosLike } from "./zeros-like.js";

type Attributes = {
  readonly chunkSize: number;
  readonly reads: "before" | "after";
  readonly erases: "before" | "after";
  readonly scale: number;
  /** Inputs after the state, in this order. */
  readonly optional: readonly Optional[];
  /** True if the final state may be written to the memory of the initial one. */
  readonly overwrite: boolean;
};

type Optional = "decay" | "erase" | "beta";

/**
 * Runs steps from a state `[B, H, K, V]`, with one decay per head and token, as one operation. The plain kernel goes token by token, and is
 * the specification; kernels of devices may process chunks of up to `chunkSize` tokens.
 */
const scanOp: Op<Attributes> = {
  name: "scan",
  infer: ([, , value, state]) => [value!, state!].map(({ shape, dtype }) => ({ shape, dtype })),
  overwrites: ({ overwrite }) => (overwrite ? [undefined, 3] : []),
  kernel(inputs, [output, final], attributes) {
    const { query, key, value, state, decay, erase, beta } = named(inputs, attributes);
    const { reads, erases, scale } = attributes;
    const [B, H, T, V] = value.shape as [number, number, number, number];
    const K = key.shape[3]!;
    const [S, written] = [new Float64Array(K * V), new Float64Array(V)];
    for (let b = 0; b < B; b++) {
      for (let h = 0; h < H; h++) {
        for (let i = 0; i < K * V; i++) S[i] = at(state, b, h, Math.floor(i / V), i % V);
        for (let t = 0; t < T; t++) {
          const decayFactor = decay ? Math.exp(at(decay, b, h, t, 0)) : 1;
          const o = ((b * H + h) * T + t) * V;
          const writeStrength = beta ? at(beta, b, h, t, 0) : 1;
          const readFactor = erases === "after" ? decayFactor : 1;
          for (let j = 0; j < V; j++) {
            let pseudoValue = at(value, b, h, t, j);
            if (erase)
              for (let i = 0; i < K; i++) pseudoValue -= at(erase, b, h, t, i) * readFactor * S[i * V + j]!;
            written[j] = writeStrength * pseudoValue;
          }
          for (let j = 0; j < V; j++) {
            let sum = 0;
            for (let i = 0; i < K; i++) {
              const before = S[i * V + j]!;
              const after = decayFactor * before + at(key, b, h, t, i) * written[j]!;
              S[i * V + j] = after;
              sum += at(query, b, h, t, i) * (reads === "before" ? before : after);
            }
            output!.array[o + j] = scale * sum;
          }
        }
        final!.array.set(S, (b * H + h) * K * V);
      }
    }
  },
  // FLOPs of the chunked form; triangular matrices count as half.
  flops([query, , value], [, state], { chunkSize, optional }) {
    const [B, H, T, K] = query!.shape as [number, number, number, number];
    const [V, products] = [state!.shape[3]!, optional.includes("erase") ? 2 : 1];
    const length = Math.min(chunkSize, value!.shape[2]!);
    return B * H * T * (products * length * (K + V) + 2 * (1 + products) * K * V);
  },
  // The backward pass recomputes the chunks, so intermediate results are not stored.
  backward({ inputs, outputs, attributes, gradients }) {
    const chunked = (tensors: readonly Tensor[]) => {
      const { state, ...steps } = named(tensors, attributes);
      const { reads, erases, scale, chunkSize } = attributes;
      const scanned = inChunks(multipliedOut({ ...steps, reads, erases, scale }), state, chunkSize);
      return [scanned.output, scanned.state];
    };
    const { pullback } = vjp(chunked, inputs);
    return pullback(outputs.map((y, i) => gradients[i] ?? zerosLike(y, y.shape)));
  },
};

/** True if the device has a kernel for these steps, which is faster than tensor operations per chunk. */
export function isFused({ query, key, value, decay, erase, beta }: FactoredSteps, state: Tensor): boolean {
  const [B, H, T, K] = query.shape as [number, number, number, number];
  const fits = (x: Tensor | undefined, last: number) => !x || `${x.shape}` === `${[B, H, T, last]}`;
  return (
    query.device.kernels["scan"] !== undefined &&
    fits(key, K) &&
    fits(value, state.shape[3]!) &&
    fits(decay, 1) &&
    fits(erase, K) &&
    fits(beta, 1)
  );
}

/** Runs steps as one op. */
export function fusedScan(
  { query, key, value, reads = "after", erases = "before", scale = 1, ...rest }: FactoredSteps,
  initial: Tensor,
  chunkSize: number,
  overwrite = false,
): Scanned {
  const optional = (["decay", "erase", "beta"] as const).filter((name) => rest[name]);
  const inputs = [query, key, value, initial, ...optional.map((name) => rest[name]!)];
  const [output, state] = runAll(scanOp, inputs, {
    chunkSize,
    reads,
    erases,
    scale,
    optional,
    overwrite,
  });
  return { output: output!, state: state! };
}

/** The inputs of the operation by name. */
function named<X>([query, key, value, state, ...rest]: readonly X[], { optional }: Attributes) {
  const optionalInputs: Partial<Record<Optional, X>> = Object.fromEntries(
    optional.map((name, i) => [name, rest[i]]),
  );
  return { ...optionalInputs, query: query!, key: key!, value: value!, state: state! };
}

function at({ array, offset, strides }: View, b: number, h: number, row: number, column: number): number {
  return array[offset + b * strides[0]! + h * strides[1]! + row * strides[2]! + column * strides[3]!]!;
}
