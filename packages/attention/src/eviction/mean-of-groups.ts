/** Averages `[H, S]` over the query heads that share a key-value head: `[Hkv, S]`, row-major. */
export function meanOfGroups(numbers: ArrayLike<number>, H: number, Hkv: number): Float64Array {
  const S = numbers.length / H;
  const group = H / Hkv;
  const means = new Float64Array(Hkv * S);
  for (let h = 0; h < H; h++)
    for (let s = 0; s < S; s++) means[Math.floor(h / group) * S + s]! += numbers[h * S + s]! / group;
  return means;
}
