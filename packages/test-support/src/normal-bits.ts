/** The bits of the first twelve of a list of float64 numbers, in hexadecimal, and the 64-bit FNV-1a hash of all (big-endian). */
export function float64Bits(numbers: ArrayLike<number>): { first: string; fnv1a: string } {
  const values = new DataView(new ArrayBuffer(8));
  let [first, hash] = ["", 0xcbf29ce484222325n];
  for (let n = 0; n < numbers.length; n++) {
    values.setFloat64(0, numbers[n]!);
    if (n < 12) first += ` ${values.getBigUint64(0).toString(16).padStart(16, "0")}`;
    for (let k = 0; k < 8; k++)
      hash = BigInt.asUintN(64, (hash ^ BigInt(values.getUint8(k))) * 0x100000001b3n);
  }
  return { first: first.slice(1), fnv1a: hash.toString(16) };
}

/**
 * The bits of `randn([1000], { seed: 20251, dtype: "float64" })`, which every JavaScript engine must return. Computed by a
 * port to Python, which agrees with Python's `statistics.NormalDist().inv_cdf` to 5e-16.
 */
export const normalBits: ReturnType<typeof float64Bits> = {
  first:
    "3fa08335e02a1244 bfea5c7bbfdb3c2d 3fdfe7cfa9cdc2ee bfe45085f44ec3af bfbbfdb4d5963cfd 3fe77e9a046f2302 " +
    "3fcfabf1444412ae bfe52225d55e08ee bfe90ea45eeb1cf0 bfdfe9972d20da44 3fe12bef0ac1cf9f 3ff8d15fb18b9348",
  fnv1a: "de4c9dab4a0f5341",
};
