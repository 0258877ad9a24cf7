import { add, embedding, tensor, type Tensor } from "@qkv/tensor";
import { hashByteNgrams } from "@qkv/tokenizer/patching";

/** Options of hash embeddings of byte n-grams. */
export type HashConfig = {
  /** N-gram sizes in bytes, such as 3 to 8. */
  orders: readonly number[];
  /** Number of hash functions per n-gram size, which differ in their prime. */
  functions: number;
  /** Number of buckets (rows of the table) per hash function and n-gram size. */
  buckets: number;
};

/** Primes of the hash functions, in BLT's order, used cyclically. */
const primes = [
  1000000007, 5915587277, 1500450271, 3267000013, 5754853343, 4093082899, 9576890767, 3628273133, 2860486313,
  5463458053, 3367900313,
];

/** Total number of rows of the table. */
export const hashRows = ({ orders, functions, buckets }: HashConfig): number =>
  functions * orders.length * buckets;

/**
 * Adds to the embedding of each byte the embeddings of the n-grams that end there.
 *
 * @param rows - Embeddings of the bytes, `[B, T, C]`.
 * @param weight - `[functions · orders · buckets, C]`
 * @param ids - For each batch, the ids of the T bytes, preceded by the earlier bytes that the longest n-gram needs.
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
