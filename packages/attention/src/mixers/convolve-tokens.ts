import {
  add,
  causalConv,
  concat,
  full,
  mul,
  pad,
  reshape,
  slice,
  tensor,
  transpose,
  where,
  type Tensor,
} from "@qkv/tensor";
import { documentStarts, type DocumentIds, type Marks } from "./resets.js";

/** Options of a convolution over tokens. */
type ConvolutionOptions = {
  /** The N − 1 rows before these, `[B, C, N - 1]`: the state that the previous call returned. Default: zeros. */
  readonly state: Tensor | undefined;
  /** Documents in each sequence: a token does not see rows of another document. */
  readonly documents: DocumentIds | undefined;
  /** Number of real tokens of each sequence. The returned state is the one after the last of them. */
  readonly padding: ArrayLike<number> | undefined;
};

/**
 * A causal depthwise convolution over tokens, for sequences that may be packed from several documents and padded at the end.
 *
 * @param rows - `[B, T, C]`
 * @param taps - `[C, 1, N]`; the last tap is multiplied by the newest token.
 */
export function convolveTokens(
  rows: Tensor,
  taps: Tensor,
  { state, documents, padding }: ConvolutionOptions,
): { output: Tensor; state: Tensor } {
  const x = transpose(rows); // [B, C, T]
  if (documents === undefined && padding === undefined) {
    const convolved = causalConv(x, taps, state && { state });
    return { output: transpose(convolved.output), state: convolved.state };
  }
  const [B, , T] = x.shape as [number, number, number];
  const N = taps.shape[2]!;
  const starts: Marks =
    documents === undefined
      ? [new Array<boolean>(T).fill(false)]
      : documentStarts({ documents, padding, batchSize: B, seqLen: T });
  const all = state ? concat([state, x], 2) : pad(x, 2, N - 1, 0); // [B, C, N - 1 + T]
  let output = mul(x, tap(taps, N - 1));
  for (let back = 1; back < N; back++) {
    const earlier = slice(all, 2, N - 1 - back, N - 1 - back + T);
    const seen = starts.map((row) => row.map((_, t) => !startsWithin(row, t - back, t)));
    output = add(output, mul(keep(seen, earlier), tap(taps, N - 1 - back)));
  }
  const last = Array.from({ length: B }, (_, b) => {
    const end = Math.min(padding?.[b] ?? T, T);
    const row = starts[b] ?? starts[0]!;
    const seen = Array.from({ length: N - 1 }, (_, i) => !startsWithin(row, end + i - (N - 1), end - 1));
    return keep([seen], slice(slice(all, 0, b, b + 1), 2, end, end + N - 1));
  });
  return { output: transpose(output), state: concat(last, 0) };
}

/** One tap of each channel, `[1, C, 1]`. */
const tap = (taps: Tensor, n: number): Tensor => reshape(slice(taps, 2, n, n + 1), [1, taps.shape[0]!, 1]);

/** True if a document starts after token `from`, up to token `to`. */
const startsWithin = (starts: readonly boolean[], from: number, to: number): boolean =>
  starts.slice(Math.max(0, from + 1), to + 1).includes(true);

/** Zeros rows of other documents by `where`, not by a product, since they may contain NaN. */
function keep(seen: Marks, x: Tensor): Tensor {
  const { dtype, device, shape } = x;
  const mask = tensor(seen.flat(), { shape: [seen.length, 1, shape[2]!], dtype: "bool", device });
  return where(mask, x, full([1], 0, { dtype, device }));
}
