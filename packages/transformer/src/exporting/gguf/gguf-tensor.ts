import type { TensorToWrite } from "../../architectures/tensor-to-write.js";

/** A tensor of a GGUF file: parts that lie one after the other, such as the matrices of a layer's experts. */
export type GgufTensor = {
  readonly name: string;
  /** The last axis is the fastest. */
  readonly shape: readonly number[];
  readonly parts: readonly TensorToWrite[];
};

/** Tensors by their names in the file; those of one name become one, with an axis in front. */
export function ggufTensors(
  tensors: readonly TensorToWrite[],
  nameOf: (name: string) => string,
): GgufTensor[] {
  const parts = new Map<string, TensorToWrite[]>();
  for (const tensor of tensors) {
    const name = nameOf(tensor.name);
    parts.set(name, [...(parts.get(name) ?? []), tensor]);
  }
  return Array.from(parts, ([name, parts]) => {
    const [{ shape }] = parts as [TensorToWrite];
    return { name, shape: /_exps\./.test(name) ? [parts.length, ...shape] : shape, parts };
  });
}
