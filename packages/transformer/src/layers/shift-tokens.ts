import { mix, shortConvolution, type DocumentIds } from "@qkv/attention";
import { concat, ones, reshape, slice, tensor, zeros, type Tensor } from "@qkv/tensor";

/** Options of a token shift: the previous token, documents and padding. */
type TokenShiftOptions = {
  /** The row before x, `[B, 1, C]`, as returned by the last call. Default: zeros. */
  readonly state: Tensor | undefined;
  /** Document of each token. The first row of a document has zeros before it. */
  readonly documents: DocumentIds | undefined;
  /** Number of tokens of each batch without padding: the state is the last of them. */
  readonly padding: ArrayLike<number> | undefined;
};

/**
 * Token shift of RWKV: for each row of `[B, T, C]`, the previous one. The first row of a document gets zeros.
 */
export function shiftTokens(
  x: Tensor,
  { state, documents, padding }: TokenShiftOptions,
): { previous: Tensor; state: Tensor } {
  const [B, T, C] = x.shape as [number, number, number];
  const { dtype, device } = x;
  if (documents === undefined && padding === undefined) {
    const before = state ?? zeros([B, 1, C], { dtype, device });
    const previous = T === 1 ? before : concat([before, slice(x, 1, 0, T - 1)], 1);
    return { previous, state: slice(x, 1, T - 1, T) };
  }
  // A short convolution with the kernel [1, 0] is a shift by one token, and supports documents and padding.
  const taps = Array.from({ length: 2 * C }, (_, i) => (i % 2 === 0 ? 1 : 0));
  const noGate = ones([B, 1, T, C], { dtype, device });
  const shifted = mix(
    shortConvolution(),
    {
      query: noGate,
      key: noGate,
      value: reshape(x, [B, 1, T, C]),
      taps: tensor(taps, { shape: [1, C, 2], dtype, device }),
    },
    {
      ...(state && { initialState: { inputs: reshape(state, [B, 1, 1, C]) } }),
      ...(documents && { documents }),
      ...(padding && { padding }),
    },
  );
  return {
    previous: reshape(shifted.output, [B, T, C]),
    state: reshape(shifted.state.inputs, [B, 1, C]),
  };
}
