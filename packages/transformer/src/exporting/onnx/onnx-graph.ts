import type { TensorToWrite } from "../../architectures/tensor-to-write.js";

/** Element type ids of ONNX. */
export const elementTypes = { float32: 1, int64: 7, bool: 9, float16: 10, bfloat16: 16 } as const;
export type ElementType = keyof typeof elementTypes;

/** A dimension: a number, or the name of a dynamic one. */
export type AxisLength = number | string;

/** An input or output of the graph. */
export type Port = {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly AxisLength[];
};

/** An attribute: an integer, a list of integers, a string, or `{ float }`. */
export type Attribute = number | readonly number[] | string | { readonly float: number };

/** A node of the graph: an operator, its input and output names and its attributes. */
export type Node = {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
};

/** A small constant, such as a shape. */
export type Constant = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | BigInt64Array;
};

/** A weight. `full`: it is stored in float32 in a graph with 16-bit weights too. */
export type Weight = { readonly tensor: TensorToWrite; readonly full: boolean };

/** Operator set of a graph, see {@link opsets}. */
export type Operators = "standard" | "composed";

/** A graph builder. Each call adds a node or constant and returns the name of its value, for use in later calls. */
export type OnnxGraph = {
  readonly operators: Operators;
  readonly opset: number;
  readonly nodes: readonly Node[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly constants: readonly Constant[];
  readonly weights: readonly Weight[];
  input(name: string, shape: readonly AxisLength[], type?: ElementType): string;
  /** Declares a graph output. An operator has to produce a value with this name. */
  output(name: string, shape: readonly AxisLength[]): string;
  /** A float constant. */
  scalar(value: number): string;
  /** A constant list of integers, such as lengths, axes or indices. */
  list(...values: number[]): string;
  /** An integer constant. */
  integer(value: number): string;
  /** A weight of the model, converted to float32 in the graph. `full`: stores it in float32. Default: true for vectors. */
  weight(tensor: TensorToWrite, options?: { full?: boolean }): string;
  /** An operator with one output. */
  op(type: string, inputs: readonly string[], attributes?: Node["attributes"], name?: string): string;
  /** An operator with several outputs. */
  ops(
    type: string,
    inputs: readonly string[],
    outputs: number | readonly string[],
    attributes?: Node["attributes"],
  ): string[];
};

/** The lowest float32 number, in place of −∞: a row without visible keys gives a mean instead of NaN. */
export const lowest = -(2 - 2 ** -23) * 2 ** 127;

/** `standard`: opset 23, which has operators for attention, rotary embeddings and RMS norms. `composed`: opset 17. */
export const opsets = { standard: 23, composed: 17 } as const satisfies Record<Operators, number>;

export function onnxGraph(operators: Operators, stored: ElementType): OnnxGraph {
  const [nodes, constants, weights]: [Node[], Constant[], Weight[]] = [[], [], []];
  const [inputs, outputs]: [Port[], Port[]] = [[], []];
  const byKey = new Map<string, string>();
  let count = 0;
  const once = (key: string, create: () => string): string => {
    const value = byKey.get(key) ?? create();
    byKey.set(key, value);
    return value;
  };
  const constant = (values: Constant["values"], shape: readonly number[]): string => {
    const name = `constant.${constants.length}`;
    constants.push({ name, shape, values });
    return name;
  };
  const ops: OnnxGraph["ops"] = (type, operands, outputNames, attributes = {}) => {
    const names =
      typeof outputNames === "number"
        ? Array.from({ length: outputNames }, () => `value.${count++}`)
        : [...outputNames];
    nodes.push({ type, inputs: operands, outputs: names, attributes });
    return names;
  };
  const op: OnnxGraph["op"] = (type, operands, attributes, name) =>
    ops(type, operands, name === undefined ? 1 : [name], attributes)[0]!;
  return {
    ...{ operators, opset: opsets[operators], nodes, inputs, outputs, constants, weights, ops, op },
    input(name, shape, type = "float32") {
      inputs.push({ name, shape, type });
      return name;
    },
    output(name, shape) {
      outputs.push({ name, shape, type: "float32" });
      return name;
    },
    scalar: (value) => once(`scalar ${value}`, () => constant(Float32Array.of(value), [])),
    integer: (value) => once(`integer ${value}`, () => constant(BigInt64Array.of(BigInt(value)), [])),
    list: (...values) =>
      once(`list ${values.join()}`, () => constant(BigInt64Array.from(values, BigInt), [values.length])),
    weight: (tensor, { full = tensor.shape.length < 2 } = {}) =>
      once(`weight ${tensor.name}`, () => {
        weights.push({ tensor, full });
        return full || stored === "float32"
          ? tensor.name
          : op("Cast", [tensor.name], { to: elementTypes.float32 });
      }),
  };
}
