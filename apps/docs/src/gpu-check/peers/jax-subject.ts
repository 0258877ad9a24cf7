import type { Subject } from "@qkv/device/check";
import { seenOf, swapFirstAxes } from "./seen";

type JaxArray = {
  reshape(shape: readonly number[]): JaxArray;
  data(): Promise<ArrayLike<number>>;
};

/** The part of jax-js's API that a check uses. */
export type Jax = {
  readonly numpy: {
    array(data: Float32Array | Int32Array | boolean[]): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
  };
  readonly nn: {
    dotProductAttention(
      query: JaxArray,
      key: JaxArray,
      value: JaxArray,
      options: { mask?: JaxArray },
    ): JaxArray;
  };
};

/** jax-js, on its default device. A call consumes its inputs. */
export function jaxSubject(name: string, { numpy, nn }: Jax): Subject {
  return {
    name,
    matmul: ({ M, K, N, a, b }) =>
      numpy.matmul(numpy.array(a).reshape([M, K]), numpy.array(b).reshape([K, N])).data(),
    async attention(inputs) {
      const { H, T, S, D, query, key, value } = inputs;
      const seen = seenOf(inputs);
      // jax-js expects `[B, T, H, D]`.
      const rows = (data: Float32Array, length: number) =>
        numpy.array(swapFirstAxes(data, H, length, D)).reshape([1, length, H, D]);
      const output = nn.dotProductAttention(rows(query, T), rows(key, S), rows(value, S), {
        ...(seen && { mask: numpy.array(Array.from(seen, Boolean)).reshape([1, 1, T, S]) }),
      });
      return swapFirstAxes(await output.data(), T, H, D);
    },
  };
}
