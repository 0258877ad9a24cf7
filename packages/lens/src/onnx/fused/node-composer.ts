import { elementTypes } from "../read-messages.js";
import { nodeBytes, type AttributeValue } from "../write-messages.js";

/**
 * Composes the nodes that replace a node: each call adds one and returns the name of its value, an input of later nodes. All
 * are ONNX's own operators, in a form that is valid from opset 12 on.
 */
export type NodeComposer = {
  /** The messages of the nodes, in order. */
  readonly nodes: readonly Uint8Array[];
  /** Adds a node. `output`: the name of its value, default a new name. */
  op(
    type: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, AttributeValue>>,
    output?: string,
  ): string;
  /** A scalar of float32. */
  float32(value: number): string;
  /** A list of int64: lengths, axes, indices. */
  int64List(...values: number[]): string;
  /** A scalar of int64. */
  int64(value: number): string;
};

/** @param prefix - Prefix of the names of its nodes and values. */
export function nodeComposer(prefix: string): NodeComposer {
  const nodes: Uint8Array[] = [];
  const constants = new Map<string, string>();
  let count = 0;
  const op: NodeComposer["op"] = (type, inputs, attributes = {}, output) => {
    const name = `${prefix}/${type}_${count++}`;
    const value = output ?? `${name}_output_0`;
    nodes.push(nodeBytes({ name, type, inputs, outputs: [value], attributes }));
    return value;
  };
  /** A constant that is added once, at its first use. */
  const constant = (key: string, shape: readonly number[], values: Float32Array | BigInt64Array): string => {
    const known = constants.get(key) ?? op("Constant", [], { value: { shape, values } });
    constants.set(key, known);
    return known;
  };
  return {
    ...{ nodes, op },
    float32: (value) => constant(`float32 ${value}`, [], Float32Array.of(value)),
    int64: (value) => constant(`int64 ${value}`, [], BigInt64Array.of(BigInt(value))),
    int64List: (...values) =>
      constant(`int64List ${values.join()}`, [values.length], BigInt64Array.from(values, BigInt)),
  };
}

/** The length of an axis, as a 1-D tensor of one element. `axis`: from 0. */
export const axisLength = (c: NodeComposer, x: string, axis: number): string =>
  c.op("Gather", [c.op("Shape", [x]), c.int64List(axis)], { axis: 0 });

/** Slices `start` to `end - 1` of an axis; both are 1-D tensors of one element. */
export const slice = (c: NodeComposer, x: string, axis: number, start: string, end: string): string =>
  c.op("Slice", [x, start, end, c.int64List(axis)]);

/** `[B, T, heads · D]` to `[B, heads, T, D]`. */
export const splitHeads = (c: NodeComposer, x: string, heads: number): string =>
  c.op("Transpose", [c.op("Reshape", [x, c.int64List(0, 0, heads, -1)])], { perm: [0, 2, 1, 3] });

/** `[B, heads, T, D]` to `[B, T, heads · D]`. */
export const joinHeads = (c: NodeComposer, x: string): string =>
  c.op("Reshape", [c.op("Transpose", [x], { perm: [0, 2, 1, 3] }), c.int64List(0, 0, -1)]);

/** Casts a value of element type `type` to float32, unless it is float32. */
export const toFloat32 = (c: NodeComposer, x: string, type: number): string =>
  type === elementTypes.float32 ? x : c.op("Cast", [x], { to: elementTypes.float32 });

export const toInt64 = (c: NodeComposer, x: string): string => c.op("Cast", [x], { to: elementTypes.int64 });

/** Gives a value the name and the element type of an output of the operator that is replaced. */
export function castToOutput(c: NodeComposer, x: string, output: string, type: number): void {
  c.op("Cast", [x], { to: type }, output);
}

/** A 1-D tensor of one element as a scalar. */
export const toScalar = (c: NodeComposer, list: string): string =>
  c.op("Gather", [list, c.int64(0)], { axis: 0 });

/** 0 to `length - 1` in int64; `length` is a 1-D tensor of one element. */
export const range = (c: NodeComposer, length: string): string =>
  c.op("Range", [c.int64(0), toScalar(c, length), c.int64(1)]);

/** Concatenates lengths to a shape; each is a number or a 1-D tensor of one element. */
export const concatShape = (c: NodeComposer, ...lengths: (number | string)[]): string =>
  c.op(
    "Concat",
    lengths.map((length) => (typeof length === "number" ? c.int64List(length) : length)),
    { axis: 0 },
  );
