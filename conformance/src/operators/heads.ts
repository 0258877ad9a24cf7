import { permute, reshape, type Tensor } from "@qkv/tensor";

/**
 * Splits the heads of ONNX's 3-D layout: [B, T, H·D] to [B, H, T, D]. A 4-D tensor is returned unchanged.
 *
 * @param numHeads - The node's attribute, required for 3-D inputs, optional for 4-D inputs.
 */
export function splitHeads(x: Tensor, numHeads: number, attribute: string): Tensor {
  if (x.shape.length === 4) return x;
  const [batchSize, seqLen, width] = x.shape as [number, number, number];
  if (numHeads < 1 || width % numHeads !== 0) {
    throw new Error(
      `\`${attribute}\` is ${numHeads}, which does not divide the width ${width} of a 3-D input`,
    );
  }
  return permute(reshape(x, [batchSize, seqLen, numHeads, width / numHeads]), [0, 2, 1, 3]);
}

/** Back to the layout that the node's input had: [B, H, T, D] to [B, T, H·D] if that was 3-D. */
export function joinHeads(x: Tensor, like: Tensor): Tensor {
  if (like.shape.length === 4) return x;
  const [batchSize, numHeads, seqLen, headDim] = x.shape as [number, number, number, number];
  return reshape(permute(x, [0, 2, 1, 3]), [batchSize, seqLen, numHeads * headDim]);
}
