import type { TensorToWrite } from "../../architectures/tensor-to-write.js";

/** A tensor of a GGUF file, concatenated from parts such as the matrices of a layer's experts. */
export type GgufTensor = {
  readonly name: string;
  /** Row-major shape: the last axis is contiguous. */
  readonly shape: readonly number[];
  readonly parts: readonly TensorToWrite[];
};

/** Groups tensors by name. Tensors with the same name are stacked along a new first axis. */
export function ggufTensors(
  tensors: readonly TensorToWrite[],
  rename: (name: string) => string,
): GgufTensor[] {
  const parts = new Map<string, TensorToWrite[]>();
  for (const tensor of tensors) {
    const name = rename(tensor.name);
    parts.set(name, [...(parts.get(name) ?? []), tensor]);
  }
  return Array.from(parts, ([name, parts]) => {
    const [{ shape }] = parts as [TensorToWrite];
    return { name, shape: /_exps\./.test(name) ? [parts.length, ...shape] : shape, parts };
  });
}
