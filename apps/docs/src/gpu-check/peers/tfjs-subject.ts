import type { Subject } from "@qkv/device/check";
import { seenOf } from "./seen";

type TfTensor = { data(): Promise<ArrayLike<number>>; dispose(): void };

/** The part of TensorFlow.js's API that a check uses. */
export type Tfjs = {
  tensor(data: Float32Array | Uint8Array, shape: readonly number[], dtype: "float32" | "bool"): TfTensor;
  scalar(value: number): TfTensor;
  matMul(a: TfTensor, b: TfTensor, transposeA?: boolean, transposeB?: boolean): TfTensor;
  mul(a: TfTensor, b: TfTensor): TfTensor;
  where(condition: TfTensor, a: TfTensor, b: TfTensor): TfTensor;
  softmax(logits: TfTensor): TfTensor;
  tidy(f: () => TfTensor): TfTensor;
};

/** TensorFlow.js, which has no attention operation: matrix products, `where` for the mask, and `softmax`. */
export function tfjsSubject(name: string, tf: Tfjs): Subject {
  const read = async (f: () => TfTensor) => {
    const result = tf.tidy(f);
    try {
      return await result.data();
    } finally {
      result.dispose();
    }
  };
  const of = (data: Float32Array, shape: readonly number[]) => tf.tensor(data, shape, "float32");
  return {
    name,
    matmul: ({ M, K, N, a, b }) => read(() => tf.matMul(of(a, [M, K]), of(b, [K, N]))),
    attention(inputs) {
      const { H, T, S, D, query, key, value } = inputs;
      const seen = seenOf(inputs);
      return read(() => {
        const dots = tf.matMul(of(query, [H, T, D]), of(key, [H, S, D]), false, true);
        const scores = tf.mul(dots, tf.scalar(1 / Math.sqrt(D)));
        const shown = seen
          ? tf.where(tf.tensor(seen, [1, T, S], "bool"), scores, tf.scalar(-Infinity))
          : scores;
        return tf.matMul(tf.softmax(shown), of(value, [H, S, D]));
      });
    },
  };
}
