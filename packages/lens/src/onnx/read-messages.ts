import { BinaryReader } from "@bufbuild/protobuf/wire";
import { sizeOf } from "@qkv/core";

/** Messages of `onnx.proto`: the fields that are read of each, by the numbers that they have there. */

/** A tensor in a file: what it is, and its numbers where there are few. */
export type TensorHead = {
  name: string;
  dims: number[];
  elementType: number;
  /** Name of the file that has its numbers, where that is another one. */
  location?: string;
  /** Its whole numbers, of at most {@link mostIntegers}. */
  integers?: number[];
};

/** An axis: its length, the name of one that is free, or nothing known. */
export type AxisLength = number | string | undefined;

/** A declaration of a value. */
export type ValueInfo = { name: string; elementType?: number; shape?: AxisLength[] };

export type OnnxAttribute = {
  name: string;
  float?: number;
  integer?: number;
  text?: string;
  tensor?: TensorHead;
  integers?: number[];
  /** Graphs that are values of the attribute: branches of `If`, bodies of `Loop`. */
  graphs: InnerGraph[];
};

export type OnnxNode = {
  name: string;
  /** `MatMul`, `Softmax`. */
  type: string;
  /** "" is that of ONNX. */
  domain: string;
  inputs: string[];
  outputs: string[];
  attributes: Map<string, OnnxAttribute>;
};

/** Elements up to which whole numbers are read: shapes, axes, heads. */
const mostIntegers = 256;

/** Walks through the fields of a message. What `read` does not read is passed over. */
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

/** Whole numbers of a repeated field: one, or several in a packed value. */
function integersOf(reader: BinaryReader, wireType: number): number[] {
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
    if (number === 1) head.dims.push(...integersOf(reader, wireType));
    else if (number === 2) head.elementType = reader.int32();
    else if (number === 8) head.name = reader.string();
    else if (number === 5 || number === 7) integers.push(...integersOf(reader, wireType));
    else if (number === 9) raw = reader.bytes();
    else if (number === 13) Object.assign(external_data, readEntry(reader.bytes()));
    else if (number === 14) external = reader.int32() === 1;
    else return false;
    return true;
  });
  if (external && external_data["location"] !== undefined) head.location = external_data["location"];
  const count = sizeOf(head.dims);
  if (external || count > mostIntegers) return head;
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
    if (number === 1) key = reader.string();
    else if (number === 2) value = reader.string();
    else return false;
    return true;
  });
  return { [key]: value };
}

export function readValueInfo(bytes: Uint8Array): ValueInfo {
  const info: ValueInfo = { name: "" };
  const tensorType = (inner: Uint8Array): void =>
    eachField(inner, (number, reader) => {
      if (number === 1) info.elementType = reader.int32();
      else if (number === 2) info.shape = shapeOf(reader.bytes());
      else return false;
      return true;
    });
  eachField(bytes, (number, reader) => {
    if (number === 1) info.name = reader.string();
    else if (number === 2) {
      eachField(reader.bytes(), (kind, type) => {
        if (kind !== 1) return false;
        tensorType(type.bytes());
        return true;
      });
    } else return false;
    return true;
  });
  return info;
}

function shapeOf(bytes: Uint8Array): AxisLength[] {
  const shape: AxisLength[] = [];
  eachField(bytes, (number, reader) => {
    if (number !== 1) return false;
    let length: AxisLength;
    eachField(reader.bytes(), (kind, axis) => {
      if (kind === 1) length = Number(axis.int64());
      else if (kind === 2) length = axis.string() || undefined;
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
    if (number === 1) attribute.name = reader.string();
    else if (number === 2) attribute.float = reader.float();
    else if (number === 3) attribute.integer = Number(reader.int64());
    else if (number === 4) attribute.text = reader.string();
    else if (number === 5) attribute.tensor = readTensorHead(reader.bytes());
    else if (number === 6 || number === 11) attribute.graphs.push(readInnerGraph(reader.bytes()));
    else if (number === 8) (attribute.integers ??= []).push(...integersOf(reader, wireType));
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
    if (number === 1) node.inputs.push(reader.string());
    else if (number === 2) node.outputs.push(reader.string());
    else if (number === 3) node.name = reader.string();
    else if (number === 4) node.type = reader.string();
    else if (number === 5) {
      const attribute = readAttribute(reader.bytes());
      node.attributes.set(attribute.name, attribute);
    } else if (number === 7) node.domain = reader.string();
    else return false;
    return true;
  });
  // ONNX's own domain has two spellings.
  if (node.domain === "ai.onnx") node.domain = "";
  return node;
}

/** Domain and version of an import of operators. */
export function readOperatorSet(bytes: Uint8Array): { domain: string; version: number } {
  const set = { domain: "", version: 1 };
  eachField(bytes, (number, reader) => {
    if (number === 1) set.domain = reader.string();
    else if (number === 2) set.version = Number(reader.int64());
    else return false;
    return true;
  });
  if (set.domain === "ai.onnx") set.domain = "";
  return set;
}

/** A graph inside of a node or a function, with the nodes that it has. */
export type InnerGraph = { nodes: OnnxNode[]; initializers: TensorHead[]; values: ValueInfo[] };

/** A graph that is the value of an attribute. */
function readInnerGraph(bytes: Uint8Array): InnerGraph {
  const graph: InnerGraph = { nodes: [], initializers: [], values: [] };
  eachField(bytes, (number, reader) => {
    if (number === 1) graph.nodes.push(readNode(reader.bytes()));
    else if (number === 5) graph.initializers.push(readTensorHead(reader.bytes()));
    else if (number === 11 || number === 12 || number === 13)
      graph.values.push(readValueInfo(reader.bytes()));
    else return false;
    return true;
  });
  return graph;
}

/** Name and nodes of a function that a file defines. */
export function readFunction(bytes: Uint8Array): { name: string; nodes: OnnxNode[] } {
  const made = { name: "", nodes: [] as OnnxNode[] };
  eachField(bytes, (number, reader) => {
    if (number === 1) made.name = reader.string();
    else if (number === 7) made.nodes.push(readNode(reader.bytes()));
    else return false;
    return true;
  });
  return made;
}

/** Numbers of element types in ONNX files: those that are named here. */
export const elementTypes = {
  ...{ float32: 1, int32: 6, int64: 7, bool: 9, float16: 10, float64: 11, bfloat16: 16 },
} as const;
