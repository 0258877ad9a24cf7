/** The header of a llama2.c checkpoint: small sizes, all different. */
export const tinySizes = {
  dim: 12,
  hidden_dim: 5,
  n_layers: 2,
  n_heads: 3,
  n_kv_heads: 1,
  vocab_size: 7,
  seq_len: 6,
};

/** The fields of a checkpoint in the order of the file, each with its number of float32 numbers. */
export function checkpointFields(sizes: typeof tinySizes): [field: string, count: number][] {
  const { dim: C, hidden_dim: F, n_layers: L, n_heads: H, n_kv_heads: Hkv, vocab_size, seq_len: T } = sizes;
  const [V, kv] = [Math.abs(vocab_size), (C / H) * Hkv];
  const layers = (field: string, count: number) =>
    Array.from({ length: L }, (_, i): [string, number] => [`${field}[${i}]`, count]);
  return [
    ["tok_emb", V * C],
    ...layers("att_norm", C),
    ...layers("wq", C * C),
    ...layers("wk", kv * C),
    ...layers("wv", kv * C),
    ...layers("wo", C * C),
    ...layers("ffn_norm", C),
    ...layers("w1", F * C),
    ...layers("w2", C * F),
    ...layers("w3", F * C),
    ["final_norm", C],
    ["freq_cis", T * (C / H)],
    ...(vocab_size < 0 ? [["wcls", V * C] as [string, number]] : []),
  ];
}

/** The bytes of a llama2.c checkpoint: the header of seven int32 numbers (28 bytes), and weights whose n-th number is `number(n)`. */
export function tinyCheckpoint(
  changes: Partial<typeof tinySizes> = {},
  number: (n: number) => number = (n) => n,
): Uint8Array<ArrayBuffer> {
  const sizes = { ...tinySizes, ...changes };
  const count = checkpointFields(sizes).reduce((sum, [, count]) => sum + count, 0);
  const view = new DataView(new ArrayBuffer(28 + 4 * count));
  Object.values(sizes).forEach((size, i) => view.setInt32(4 * i, size, true));
  for (let n = 0; n < count; n++) view.setFloat32(28 + 4 * n, number(n), true);
  return new Uint8Array(view.buffer);
}
