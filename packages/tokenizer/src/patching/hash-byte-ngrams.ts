import { checks } from "@qkv/core";

export type HashByteNgramsOptions = {
  /** N-gram size in bytes. BLT uses 3 to 8. */
  order: number;
  /** Base of the polynomial: a prime, such as 1000000007 in BLT. */
  prime: number;
  /** Number of buckets: rows of the embedding table. */
  buckets: number;
};

/**
 * The bucket of the n-gram that ends at each byte: BLT adds an embedding of it to the byte's own. The hash is the
 * polynomial `Σ id_i · primeⁱ` of the n-gram, oldest byte first, in 64-bit integers that wrap; before the first byte there
 * are zeros.
 *
 * @param ids - Ids of bytes.
 * @returns A bucket for each, 0 to `buckets - 1`.
 * @throws {ArgumentError} If an id or an option is not an integer in its range.
 * @see "Byte Latent Transformer" (2024), arXiv:2412.09871, section 3.2.1, hash n-gram embeddings
 *
 * @example
 * ```ts
 * import { hashByteNgrams } from "@qkv/tokenizer/patching";
 *
 * const buckets = hashByteNgrams([1, 2, 1, 2], { order: 2, prime: 10, buckets: 100 });
 * [...buckets]; // => [10, 21, 12, 21]
 * ```
 */
export function hashByteNgrams(ids: ArrayLike<number>, options: HashByteNgramsOptions): Int32Array {
  const check = checks("hashByteNgrams");
  check.list({ ids }, "integers", Number.isSafeInteger);
  const { order, prime, buckets } = check.options(options ?? null, ["order", "prime", "buckets"]);
  check.whole({ order }, { min: 1, unit: "bytes" });
  check.whole({ prime }, { min: 2 });
  check.whole({ buckets }, { min: 1, max: 2 ** 31 - 1, unit: "buckets" });
  const powers: bigint[] = [1n];
  for (let i = 1; i < order; i++) powers.push(BigInt.asIntN(64, powers[i - 1]! * BigInt(prime)));
  const [values, size] = [Array.from(ids, BigInt), BigInt(buckets)];
  return Int32Array.from(values, (_, at) => {
    let hash = 0n;
    for (let i = 0; i < order; i++) hash += (values[at - order + 1 + i] ?? 0n) * powers[i]!;
    const bucket = BigInt.asIntN(64, hash) % size;
    return Number(bucket < 0n ? bucket + size : bucket);
  });
}
