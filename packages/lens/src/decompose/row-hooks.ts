import { resident, take, tensor, type Tensor } from "@qkv/tensor";
import { positionAxis } from "../patching/slices.js";
import type { Hook } from "../run-with-trace.js";

/**
 * Hooks that trace rows of tensors at some positions only, to save memory.
 *
 * @param names - Full names.
 * @param length - Tokens of the text. A tensor with fewer rows, such as a `finalInput` for `last` tokens, has the last ones.
 * @returns The hooks, and the tensors that they fill: `[B, n, …]`, or `[B, H, n, …]` with an axis of heads.
 */
export function rowHooks(
  names: readonly string[],
  positions: readonly number[],
  length: number,
): { hooks: Record<string, Hook>; tensors: Record<string, Tensor> } {
  const tensors: Record<string, Tensor> = {};
  const hook: Hook = (x, name) => {
    const axis = positionAxis(name);
    const first = length - x.shape[axis]!;
    const index = tensor(
      positions.map((position) => position - first),
      { dtype: "int32", device: x.device },
    );
    tensors[name] = resident(take(x, axis, index));
    return undefined;
  };
  return { hooks: Object.fromEntries(names.map((name) => [name, hook])), tensors };
}
