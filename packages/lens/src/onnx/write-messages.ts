import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { elementTypes, type AxisLength } from "./read-messages.js";

// Writers of messages of onnx.proto. `tag(field, wireType)` begins a field, whose name in onnx.proto is in a comment. Wire type
// 0 is a varint, 2 a value with its length; `fork` and `join` enclose a nested message.

/** A small constant tensor. */
export type ConstantTensor = { shape: readonly number[]; values: Float32Array | BigInt64Array };

/** An integer, a list of integers, or a constant tensor. */
export type AttributeValue = number | readonly number[] | ConstantTensor;

export type NewNode = {
  name: string;
  type: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes: Readonly<Record<string, AttributeValue>>;
};

const encode = (fill: (writer: BinaryWriter) => void): Uint8Array => {
  const writer = new BinaryWriter();
  fill(writer);
  return writer.finish();
};

/** Encodes a node of ONNX's own operators. */
export function nodeBytes({ name, type, inputs, outputs, attributes }: NewNode): Uint8Array {
  return encode((writer) => {
    for (const input of inputs) writer.tag(1, 2).string(input); // input
    for (const output of outputs) writer.tag(2, 2).string(output); // output
    writer.tag(3, 2).string(name); // name
    writer.tag(4, 2).string(type); // op_type
    for (const [key, value] of Object.entries(attributes)) attributeField(writer, key, value);
  });
}

/** Numbers of attribute types, `AttributeProto.AttributeType`. */
const attributeTypes = { integer: 2, tensor: 4, integers: 7 } as const;

function attributeField(writer: BinaryWriter, name: string, value: AttributeValue): void {
  writer.tag(5, 2).fork(); // NodeProto.attribute
  writer.tag(1, 2).string(name); // name
  if (typeof value === "number") {
    writer.tag(3, 0).int64(value); // i
    writer.tag(20, 0).int32(attributeTypes.integer); // type
  } else if ("shape" in value) {
    writer.tag(5, 2).fork(); // t
    tensorFields(writer, value);
    writer.join();
    writer.tag(20, 0).int32(attributeTypes.tensor);
  } else {
    for (const each of value) writer.tag(8, 0).int64(each); // ints
    writer.tag(20, 0).int32(attributeTypes.integers);
  }
  writer.join();
}

function tensorFields(writer: BinaryWriter, { shape, values }: ConstantTensor): void {
  for (const length of shape) writer.tag(1, 0).int64(length); // dims
  const bytes = new Uint8Array(values.byteLength);
  const view = new DataView(bytes.buffer);
  if (values instanceof Float32Array) values.forEach((x, i) => view.setFloat32(4 * i, x, true));
  else values.forEach((x, i) => view.setBigInt64(8 * i, x, true));
  writer.tag(2, 0).int32(values instanceof Float32Array ? elementTypes.float32 : elementTypes.int64); // data_type
  writer.tag(9, 2).bytes(bytes); // raw_data
}

/** Encodes the declaration of an output, `ValueInfoProto`. Without an element type, the engine infers the type. */
export function outputBytes(
  name: string,
  elementType: number | undefined,
  shape: readonly AxisLength[] | undefined,
): Uint8Array {
  return encode((writer) => {
    writer.tag(1, 2).string(name); // name
    if (elementType === undefined) return;
    writer.tag(2, 2).fork().tag(1, 2).fork(); // type, tensor_type
    writer.tag(1, 0).int32(elementType); // elem_type
    if (shape) {
      writer.tag(2, 2).fork(); // shape
      for (const length of shape) {
        writer.tag(1, 2).fork(); // dim
        if (typeof length === "number")
          writer.tag(1, 0).int64(length); // dim_value
        else if (length !== undefined) writer.tag(2, 2).string(length); // dim_param
        writer.join();
      }
      writer.join();
    }
    writer.join().join();
  });
}

/** Encodes a node again with other outputs and one integer attribute added or replaced. All other fields are kept. */
export function changedNodeBytes(
  bytes: Uint8Array,
  { outputs, attribute }: { outputs: readonly string[]; attribute: readonly [name: string, value: number] },
): Uint8Array {
  const reader = new BinaryReader(bytes);
  return encode((writer) => {
    while (reader.pos < reader.len) {
      const start = reader.pos;
      const [number, wireType] = reader.tag();
      const value = reader.skip(wireType, number);
      const replaced = number === 2 || (number === 5 && attributeName(value) === attribute[0]);
      if (!replaced) writer.raw(bytes.subarray(start, reader.pos));
    }
    for (const name of outputs) writer.tag(2, 2).string(name); // output
    attributeField(writer, ...attribute);
  });
}

/** Name of an attribute, from the bytes of its field. */
function attributeName(field: Uint8Array): string {
  const reader = new BinaryReader(new BinaryReader(field).bytes());
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === 1) return reader.string();
    reader.skip(wireType, number);
  }
  return "";
}
