import type { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { OutputFile, OutputFolder } from "../output-folder.js";
import { rowChunks } from "../row-chunks.js";
import { bytesPerStoredElement, storedBytes, type StoredType } from "../stored-numbers.js";
import { elementTypes, type Attribute, type OnnxGraph, type Port, type Weight } from "./onnx-graph.js";

export type OnnxFileOptions = {
  dtype: StoredType;
  /** True if weights are in an external data file. */
  external: boolean;
  /** Called after each chunk. Unit: bytes of weights. */
  onWrite(bytes: number): void;
};

/** Alignment of weights in the external data file: a page, for memory mapping. Unit: bytes. */
const page = 4096;

/**
 * Writes `onnx/model.onnx`, a protocol buffer with the field numbers of `onnx.proto`.
 * Weights are the last fields of the graph, so that they can be streamed, or they are in `onnx/model.onnx_data`.
 */
export async function writeOnnx(
  graph: OnnxGraph,
  folder: OutputFolder,
  { dtype, external, onWrite }: OnnxFileOptions,
): Promise<void> {
  const { BinaryWriter } = await import("@bufbuild/protobuf/wire");
  const encode = (fill: (writer: BinaryWriter) => void): Uint8Array => {
    const writer = new BinaryWriter();
    fill(writer);
    return writer.finish();
  };
  const storedType = ({ full }: Weight): StoredType => (full ? "float32" : dtype);
  const byteSize = ({ tensor, full }: Weight) =>
    tensor.shape.reduce((a, b) => a * b, bytesPerStoredElement[storedType({ tensor, full })]);

  let offset = 0;
  const headers = graph.weights.map((weight) => {
    const { name, shape } = weight.tensor;
    const size = byteSize(weight);
    const fields = encode((writer) => {
      tensorFields(writer, name, shape, elementTypes[storedType(weight)]);
      if (external) {
        const externalData = { location: "model.onnx_data", offset: String(offset), length: String(size) };
        for (const [key, value] of Object.entries(externalData)) {
          message(writer, 13, () => {
            text(writer, 1, key);
            text(writer, 2, value);
          });
        }
        integer(writer, 14, 1); // data_location: external
      } else writer.tag(9, 2).uint32(size); // raw_data, which follows
    });
    offset = Math.ceil((offset + size) / page) * page;
    const length = fields.length + (external ? 0 : size);
    return { bytes: encode((writer) => writer.tag(5, 2).uint32(length).raw(fields)), size };
  });
  const body = encode((writer) => graphFields(writer, graph));
  const inlineLength = headers.reduce(
    (sum, { bytes, size }) => sum + bytes.length + (external ? 0 : size),
    0,
  );

  const file = await folder.open("onnx/model.onnx");
  const start = encode((writer) => {
    integer(writer, 1, graph.operators === "standard" ? 11 : 8); // ir_version
    text(writer, 2, "qkv"); // producer_name
    message(writer, 8, () => integer(writer, 2, graph.opset)); // opset_import
    writer.tag(7, 2).uint32(body.length + inlineLength); // graph, which follows
  });
  await file.write(start);
  await file.write(body);
  for (const [i, { bytes }] of headers.entries()) {
    await file.write(bytes);
    if (!external) await writeWeight(file, graph.weights[i]!, storedType(graph.weights[i]!), onWrite);
  }
  await file.close();
  if (!external) return;
  const data = await folder.open("onnx/model.onnx_data");
  for (const [i, weight] of graph.weights.entries()) {
    await writeWeight(data, weight, storedType(weight), onWrite);
    const padding = (page - (headers[i]!.size % page)) % page;
    if (padding > 0) await data.write(new Uint8Array(padding));
  }
  await data.close();
}

async function writeWeight(
  file: OutputFile,
  { tensor }: Weight,
  type: StoredType,
  onWrite: (bytes: number) => void,
): Promise<void> {
  for await (const piece of rowChunks(tensor)) {
    const bytes = storedBytes(piece, type);
    await file.write(bytes);
    onWrite(bytes.length);
  }
}

function graphFields(writer: BinaryWriter, { nodes, inputs, outputs, constants }: OnnxGraph): void {
  for (const node of nodes) {
    message(writer, 1, () => {
      for (const name of node.inputs) text(writer, 1, name);
      for (const name of node.outputs) text(writer, 2, name);
      text(writer, 4, node.type);
      for (const [name, value] of Object.entries(node.attributes))
        message(writer, 5, () => attributeFields(writer, name, value));
    });
  }
  text(writer, 2, "model");
  for (const { name, shape, values } of constants) {
    message(writer, 5, () => {
      tensorFields(writer, name, shape, elementTypes[values instanceof Float32Array ? "float32" : "int64"]);
      const bytes = new Uint8Array(values.length * values.BYTES_PER_ELEMENT);
      const view = new DataView(bytes.buffer);
      values.forEach((x: number | bigint, i: number) => {
        if (typeof x === "bigint") view.setBigInt64(8 * i, x, true);
        else view.setFloat32(4 * i, x, true);
      });
      writer.tag(9, 2).bytes(bytes);
    });
  }
  for (const port of inputs) message(writer, 11, () => portFields(writer, port));
  for (const port of outputs) message(writer, 12, () => portFields(writer, port));
}

function tensorFields(writer: BinaryWriter, name: string, shape: readonly number[], type: number): void {
  for (const length of shape) integer(writer, 1, length);
  integer(writer, 2, type);
  text(writer, 8, name);
}

function attributeFields(writer: BinaryWriter, name: string, value: Attribute): void {
  text(writer, 1, name);
  if (typeof value === "number") integer(writer, 3, value);
  else if (typeof value === "string") text(writer, 4, value);
  else if ("float" in value) writer.tag(2, 5).float(value.float);
  else for (const element of value) integer(writer, 8, element);
  const kind = typeof value === "number" ? 2 : typeof value === "string" ? 3 : "float" in value ? 1 : 7;
  integer(writer, 20, kind);
}

function portFields(writer: BinaryWriter, { name, type, shape }: Port): void {
  text(writer, 1, name);
  message(writer, 2, () =>
    message(writer, 1, () => {
      integer(writer, 1, elementTypes[type]);
      message(writer, 2, () => {
        for (const length of shape) {
          message(writer, 1, () =>
            typeof length === "number" ? integer(writer, 1, length) : text(writer, 2, length),
          );
        }
      });
    }),
  );
}

const text = (writer: BinaryWriter, field: number, value: string) => writer.tag(field, 2).string(value);
const integer = (writer: BinaryWriter, field: number, value: number) => writer.tag(field, 0).int64(value);
function message(writer: BinaryWriter, field: number, fill: () => void): void {
  writer.tag(field, 2).fork();
  fill();
  writer.join();
}
