import { add, embedding, tensor, type Tensor } from "@qkv/tensor";
import { hashByteNgrams } from "@qkv/tokenizer/patching";

/** Hash functions of n-grams of bytes, each with rows of a table of embeddings. */
export type HashConfig = {
  /** Bytes of the n-grams, such as 3 to 8. */
  orders: readonly number[];
  /** Hash functions of each order, which differ in their prime. */
  functions: number;
  /** Rows of the table for each function and order. */
  buckets: number;
};

/** Primes of the hash functions, in BLT's order; a further function begins with the first again. */
const primes = [
  1000000007, 5915587277, 1500450271, 3267000013, 5754853343, 4093082899, 9576890767, 3628273133, 2860486313,
  5463458053, 3367900313,
];

/** Rows of the table: one part for each function and order. */
export const hashRows = ({ orders, functions, buckets }: HashConfig): number =>
  functions * orders.length * buckets;

/**
 * Adds to the embedding of each byte those of the n-grams that end at it.
 *
 * @param rows - Embeddings of the bytes, `[B, T, C]`.
 * @param weight - `[functions · orders · buckets, C]`
 * @param ids - Of each batch: ids of the bytes before, as many as the longest n-gram reads, and of the T bytes.
 */
export function addHashEmbeddings(
  rows: Tensor,
  weight: Tensor,
  ids: readonly (readonly number[])[],
  { orders, functions, buckets }: HashConfig,
): Tensor {
  const [B, T] = rows.shape as [number, number];
  const { device } = weight;
  let sum = rows;
  for (let i = 0; i < functions * orders.length; i++) {
    const [prime, order] = [
      primes[Math.floor(i / orders.length) % primes.length]!,
      orders[i % orders.length]!,
    ];
    const hashed = ids.flatMap((list) =>
      Array.from(
        hashByteNgrams(list, { order, prime, buckets }).subarray(-T),
        (bucket) => i * buckets + bucket,
      ),
    );
    sum = add(sum, embedding(weight, tensor(hashed, { shape: [B, T], dtype: "int32", device })));
  }
  return sum;
}
