import { BinaryReader } from "@bufbuild/protobuf/wire";
import { sizeOf } from "@qkv/core";

// Readers of messages of onnx.proto. Field numbers are commented with their names there.

/** A tensor in a file: its metadata, and its elements if it is a small integer tensor. */
export type TensorHead = {
  name: string;
  dims: number[];
  elementType: number;
  /** Name of the external data file. */
  location?: string;
  /** Elements of an integer tensor with at most {@link maxIntegers}. */
  integers?: number[];
};

/** An axis: its length, the name of a dynamic axis, or undefined if unknown. */
export type AxisLength = number | string | undefined;

/** Declared type and shape of a value. */
export type ValueInfo = { name: string; elementType?: number; shape?: AxisLength[] };

export type OnnxAttribute = {
  name: string;
  float?: number;
  integer?: number;
  text?: string;
  tensor?: TensorHead;
  integers?: number[];
  /** Subgraphs: branches of `If`, bodies of `Loop`. */
  graphs: InnerGraph[];
};

export type OnnxNode = {
  name: string;
  /** `MatMul`, `Softmax`. */
  type: string;
  /** `""` for ONNX's own operators. */
  domain: string;
  inputs: string[];
  outputs: string[];
  attributes: Map<string, OnnxAttribute>;
};

/** Integer tensors with more elements are not read. Shapes, axes and numbers of heads have fewer. */
const maxIntegers = 256;

/** Calls `read` for each field of a message, and skips the fields for which it returns false. */
function eachField(
  bytes: Uint8Array,
  read: (number: number, reader: BinaryReader, wireType: number) => boolean,
): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (!read(number, reader, wireType)) reader.skip(wireType, number);
  }
}

/** Integers of a repeated field: one, or several in packed encoding. */
function readIntegers(reader: BinaryReader, wireType: number): number[] {
  if (wireType !== 2) return [Number(reader.int64())];
  const packed = new BinaryReader(reader.bytes());
  const integers: number[] = [];
  while (packed.pos < packed.len) integers.push(Number(packed.int64()));
  return integers;
}

export function readTensorHead(bytes: Uint8Array): TensorHead {
  const head: TensorHead = { name: "", dims: [], elementType: 0 };
  const integers: number[] = [];
  let raw: Uint8Array | undefined;
  let external = false;
  const external_data: Record<string, string> = {};
  eachField(bytes, (number, reader, wireType) => {
    if (number === 1)
      head.dims.push(...readIntegers(reader, wireType)); // dims
    else if (number === 2)
      head.elementType = reader.int32(); // data_type
    else if (number === 8)
      head.name = reader.string(); // name
    else if (number === 5 || number === 7)
      integers.push(...readIntegers(reader, wireType)); // int32_data, int64_data
    else if (number === 9)
      raw = reader.bytes(); // raw_data
    else if (number === 13)
      Object.assign(external_data, readEntry(reader.bytes())); // external_data
    else if (number === 14)
      external = reader.int32() === 1; // data_location
    else return false;
    return true;
  });
  if (external && external_data["location"] !== undefined) head.location = external_data["location"];
  const count = sizeOf(head.dims);
  if (external || count > maxIntegers) return head;
  const { int32, int64 } = elementTypes;
  if (integers.length > 0) head.integers = integers;
  else if (raw && (head.elementType === int64 || head.elementType === int32)) {
    const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
    head.integers = Array.from({ length: count }, (_, i) =>
      head.elementType === int64 ? Number(view.getBigInt64(8 * i, true)) : view.getInt32(4 * i, true),
    );
  }
  return head;
}

function readEntry(bytes: Uint8Array): Record<string, string> {
  let [key, value] = ["", ""];
  eachField(bytes, (number, reader) => {
    if (number === 1)
      key = reader.string(); // key
    else if (number === 2)
      value = reader.string(); // value
    else return false;
    return true;
  });
  return { [key]: value };
}

export function readValueInfo(bytes: Uint8Array): ValueInfo {
  const info: ValueInfo = { name: "" };
  const tensorType = (inner: Uint8Array): void =>
    eachField(inner, (number, reader) => {
      if (number === 1)
        info.elementType = reader.int32(); // elem_type
      else if (number === 2)
        info.shape = readShape(reader.bytes()); // shape
      else return false;
      return true;
    });
  eachField(bytes, (number, reader) => {
    if (number === 1)
      info.name = reader.string(); // name
    else if (number === 2) {
      // type
      eachField(reader.bytes(), (kind, type) => {
        if (kind !== 1) return false; // tensor_type
        tensorType(type.bytes());
        return true;
      });
    } else return false;
    return true;
  });
  return info;
}

function readShape(bytes: Uint8Array): AxisLength[] {
  const shape: AxisLength[] = [];
  eachField(bytes, (number, reader) => {
    if (number !== 1) return false; // dim
    let length: AxisLength;
    eachField(reader.bytes(), (kind, axis) => {
      if (kind === 1)
        length = Number(axis.int64()); // dim_value
      else if (kind === 2)
        length = axis.string() || undefined; // dim_param
      else return false;
      return true;
    });
    shape.push(length);
    return true;
  });
  return shape;
}

function readAttribute(bytes: Uint8Array): OnnxAttribute {
  const attribute: OnnxAttribute = { name: "", graphs: [] };
  eachField(bytes, (number, reader, wireType) => {
    if (number === 1)
      attribute.name = reader.string(); // name
    else if (number === 2)
      attribute.float = reader.float(); // f
    else if (number === 3)
      attribute.integer = Number(reader.int64()); // i
    else if (number === 4)
      attribute.text = reader.string(); // s
    else if (number === 5)
      attribute.tensor = readTensorHead(reader.bytes()); // t
    else if (number === 6 || number === 11)
      attribute.graphs.push(readInnerGraph(reader.bytes())); // g, graphs
    else if (number === 8)
      (attribute.integers ??= []).push(...readIntegers(reader, wireType)); // ints
    else return false;
    return true;
  });
  return attribute;
}

export function readNode(bytes: Uint8Array): OnnxNode {
  const node: OnnxNode = {
    ...{ name: "", type: "", domain: "", inputs: [], outputs: [] },
    attributes: new Map<string, OnnxAttribute>(),
  };
  eachField(bytes, (number, reader) => {
    if (number === 1)
      node.inputs.push(reader.string()); // input
    else if (number === 2)
      node.outputs.push(reader.string()); // output
    else if (number === 3)
      node.name = reader.string(); // name
    else if (number === 4)
      node.type = reader.string(); // op_type
    else if (number === 5) {
      // attribute
      const attribute = readAttribute(reader.bytes());
      node.attributes.set(attribute.name, attribute);
    } else if (number === 7)
      node.domain = reader.string(); // domain
    else return false;
    return true;
  });
  // Both name ONNX's own domain.
  if (node.domain === "ai.onnx") node.domain = "";
  return node;
}

/** Domain and version of an opset import. */
export function readOperatorSet(bytes: Uint8Array): { domain: string; version: number } {
  const set = { domain: "", version: 1 };
  eachField(bytes, (number, reader) => {
    if (number === 1)
      set.domain = reader.string(); // domain
    else if (number === 2)
      set.version = Number(reader.int64()); // version
    else return false;
    return true;
  });
  if (set.domain === "ai.onnx") set.domain = "";
  return set;
}

/** A subgraph of a node or a function. */
export type InnerGraph = { nodes: OnnxNode[]; initializers: TensorHead[]; values: ValueInfo[] };

/** A graph that is the value of an attribute. */
function readInnerGraph(bytes: Uint8Array): InnerGraph {
  const graph: InnerGraph = { nodes: [], initializers: [], values: [] };
  eachField(bytes, (number, reader) => {
    if (number === 1)
      graph.nodes.push(readNode(reader.bytes())); // node
    else if (number === 5)
      graph.initializers.push(readTensorHead(reader.bytes())); // initializer
    else if (number === 11 || number === 12 || number === 13)
      graph.values.push(readValueInfo(reader.bytes())); // input, output, value_info
    else return false;
    return true;
  });
  return graph;
}

/** Name and nodes of a function that the file defines. */
export function readFunction(bytes: Uint8Array): { name: string; nodes: OnnxNode[] } {
  const definition = { name: "", nodes: [] as OnnxNode[] };
  eachField(bytes, (number, reader) => {
    if (number === 1)
      definition.name = reader.string(); // name
    else if (number === 7)
      definition.nodes.push(readNode(reader.bytes())); // node
    else return false;
    return true;
  });
  return definition;
}

/** Numbers of element types, `TensorProto.DataType`; only those that are used here. */
export const elementTypes = {
  ...{ float32: 1, int32: 6, int64: 7, bool: 9, float16: 10, float64: 11, bfloat16: 16 },
} as const;
