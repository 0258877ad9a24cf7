import { checks, ShapeError } from "@qkv/core";
import type { Extent, Mask } from "@qkv/attention-contract";
import { checkTensor, reshape, type Tensor, type TypedArray } from "@qkv/tensor";
import { defineMask, firstQuery } from "../mask.js";

/**
 * A mask given as a bool tensor: `true` means that the query sees the key, as in PyTorch's
 * `scaled_dot_product_attention` and ONNX (not as in `nn.MultiheadAttention`, where `true` means ignore).
 *
 * @param visible - bool, broadcastable to `[B, H, T, S]`: `[T, S]`, `[B, 1, 1, S]`, …
 * @throws {ArgumentError} If the tensor is not bool. {@link ShapeError} if it does not broadcast to the call.
 *
 * @example
 * ```ts
 * import { randn, tensor } from "@qkv/tensor";
 * import { attentionWeights, maskTensor } from "@qkv/attention";
 *
 * const x = randn([1, 1, 2, 4], { seed: 1 }); // [B, H, T, D]
 * const visible = tensor([[true, false], [false, true]]); // [T, S]
 * attentionWeights(x, x, { mask: maskTensor(visible) }).toNested(); // => [[[[1, 0], [0, 1]]]]
 * ```
 */
export function maskTensor(visible: Tensor): Mask {
  if (checkTensor("maskTensor", "visible", visible).dtype !== "bool") {
    checks("maskTensor").refuse({
      argument: "visible",
      received: visible.dtype,
      expected: "bool: true where the query sees the key",
      fix: 'pass numbers that are added to scores as `bias`; turn 0 and 1 into bools with `cast(x, "bool")`.',
    });
  }
  if (visible.shape.length > 4) wrongShape(visible, "at most four axes");
  const shape = [1, 1, 1, 1, ...visible.shape].slice(-4) as [number, number, number, number];
  const [batches, heads, rows, columns] = shape;
  const parts = {
    name: `maskTensor([${visible.shape.join(", ")}])`,
    perBatch: batches > 1,
    perHead: heads > 1,
  };
  const checkCall = ({ queryLength, keyLength, batches: B = batches, heads: H = heads }: Extent): void => {
    if ((batches !== 1 && batches !== B) || (heads !== 1 && heads !== H))
      wrongShape(visible, `[${B} or 1, ${H} or 1, T, S], as there are B = ${B} batches and H = ${H} heads`);
    if ((rows !== 1 && rows !== queryLength) || (columns !== 1 && columns !== keyLength)) {
      wrongShape(
        visible,
        `[…, ${queryLength} or 1, ${keyLength} or 1], as there are T = ${queryLength} queries and S = ${keyLength} keys`,
      );
    }
  };
  const ruleOf = (data: TypedArray, extent: Extent) => {
    checkCall(extent);
    const first = firstQuery(extent);
    return {
      sees(query: number, key: number, batch: number, head: number): boolean {
        if ((batches > 1 && batch >= batches) || (heads > 1 && head >= heads)) {
          wrongShape(visible, `a mask for batch element ${batch} and head ${head} too`);
        }
        const b = batches > 1 ? batch : 0;
        const h = heads > 1 ? head : 0;
        const t = rows > 1 ? query - first : 0;
        const s = columns > 1 ? key : 0;
        return data[((b * heads + h) * rows + t) * columns + s] === 1;
      },
    };
  };
  if (visible.device.isPending?.(visible.storage)) {
    const onDevice = (extent: Extent) => {
      checkCall(extent);
      return reshape(visible, shape);
    };
    return defineMask({
      ...parts,
      bind: (extent) => ruleOf(visible.data, extent),
      pending: { visible: [onDevice] },
    });
  }
  const { data } = visible;
  return defineMask({ ...parts, bind: (extent) => ruleOf(data, extent) });
}

function wrongShape(visible: Tensor, expected: string): never {
  const fix = "the tensor must broadcast to [B, H, T, S]: each length equal, or 1.";
  return checks("maskTensor").refuse(
    { argument: "visible", received: visible.shape, expected, fix },
    ShapeError,
  );
}
