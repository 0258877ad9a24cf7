import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { elementTypes, type AxisLength } from "./read-messages.js";

/** A few numbers that a graph has as a constant. */
export type Numbers = { shape: readonly number[]; values: Float32Array | BigInt64Array };

/** A whole number, a list of them, numbers of a constant. */
export type AttributeValue = number | readonly number[] | Numbers;

export type NewNode = {
  name: string;
  type: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes: Readonly<Record<string, AttributeValue>>;
};

const written = (fill: (writer: BinaryWriter) => void): Uint8Array => {
  const writer = new BinaryWriter();
  fill(writer);
  return writer.finish();
};

/** Bytes of a node of ONNX's own operators. */
export function nodeBytes({ name, type, inputs, outputs, attributes }: NewNode): Uint8Array {
  return written((writer) => {
    for (const input of inputs) writer.tag(1, 2).string(input);
    for (const output of outputs) writer.tag(2, 2).string(output);
    writer.tag(3, 2).string(name);
    writer.tag(4, 2).string(type);
    for (const [key, value] of Object.entries(attributes)) attributeField(writer, key, value);
  });
}

/** Types of attributes. */
const attributeTypes = { integer: 2, tensor: 4, integers: 7 } as const;

function attributeField(writer: BinaryWriter, name: string, value: AttributeValue): void {
  writer.tag(5, 2).fork();
  writer.tag(1, 2).string(name);
  if (typeof value === "number") {
    writer.tag(3, 0).int64(value);
    writer.tag(20, 0).int32(attributeTypes.integer);
  } else if ("shape" in value) {
    writer.tag(5, 2).fork();
    tensorFields(writer, value);
    writer.join();
    writer.tag(20, 0).int32(attributeTypes.tensor);
  } else {
    for (const each of value) writer.tag(8, 0).int64(each);
    writer.tag(20, 0).int32(attributeTypes.integers);
  }
  writer.join();
}

function tensorFields(writer: BinaryWriter, { shape, values }: Numbers): void {
  for (const length of shape) writer.tag(1, 0).int64(length);
  const bytes = new Uint8Array(values.byteLength);
  const view = new DataView(bytes.buffer);
  if (values instanceof Float32Array) values.forEach((x, i) => view.setFloat32(4 * i, x, true));
  else values.forEach((x, i) => view.setBigInt64(8 * i, x, true));
  writer.tag(2, 0).int32(values instanceof Float32Array ? elementTypes.float32 : elementTypes.int64);
  writer.tag(9, 2).bytes(bytes);
}

/** Bytes of the declaration of an output. Without a type, an engine infers it. */
export function outputBytes(
  name: string,
  elementType: number | undefined,
  shape: readonly AxisLength[] | undefined,
): Uint8Array {
  return written((writer) => {
    writer.tag(1, 2).string(name);
    if (elementType === undefined) return;
    writer.tag(2, 2).fork().tag(1, 2).fork();
    writer.tag(1, 0).int32(elementType);
    if (shape) {
      writer.tag(2, 2).fork();
      for (const length of shape) {
        writer.tag(1, 2).fork();
        if (typeof length === "number") writer.tag(1, 0).int64(length);
        else if (length !== undefined) writer.tag(2, 2).string(length);
        writer.join();
      }
      writer.join();
    }
    writer.join().join();
  });
}

/** Bytes of a node with other outputs and one more attribute, a whole number. All its other fields are kept. */
export function changedNodeBytes(
  bytes: Uint8Array,
  { outputs, attribute }: { outputs: readonly string[]; attribute: readonly [name: string, value: number] },
): Uint8Array {
  const reader = new BinaryReader(bytes);
  return written((writer) => {
    while (reader.pos < reader.len) {
      const start = reader.pos;
      const [number, wireType] = reader.tag();
      const value = reader.skip(wireType, number);
      const replaced = number === 2 || (number === 5 && attributeName(value) === attribute[0]);
      if (!replaced) writer.raw(bytes.subarray(start, reader.pos));
    }
    for (const name of outputs) writer.tag(2, 2).string(name);
    attributeField(writer, ...attribute);
  });
}

/** Name of an attribute that is a field with its length. */
function attributeName(field: Uint8Array): string {
  const reader = new BinaryReader(new BinaryReader(field).bytes());
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === 1) return reader.string();
    reader.skip(wireType, number);
  }
  return "";
}
