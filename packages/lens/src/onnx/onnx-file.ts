import { FormatError } from "@qkv/core";
import { openFile, type FileSource, type OpenFile } from "@qkv/core/byte-source";
import {
  readFunction,
  readNode,
  readOperatorSet,
  readTensorHead,
  readValueInfo,
  type InnerGraph,
  type OnnxNode,
  type TensorHead,
  type ValueInfo,
} from "./read-messages.js";
import { withReadAhead, scanFields, wire, type Field, type FileChecks, type Span } from "./scan-fields.js";

/** A node, and its byte range in the file. */
export type FileNode = OnnxNode & { readonly field: Field };

/** A function that a file defines, which nodes call as an operator. */
export type FileFunction = { name: string; nodes: OnnxNode[] };

/**
 * An ONNX file: its graph without the elements of weights, and the byte ranges of its messages. A changed file copies all
 * other bytes, so fields that are unknown here are kept.
 */
export type OnnxFile = {
  readonly file: OpenFile;
  readonly nodes: readonly FileNode[];
  readonly initializers: readonly TensorHead[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** Inner values whose type or shape the file declares. */
  readonly values: readonly ValueInfo[];
  readonly functions: readonly FileFunction[];
  /** Version of ONNX's own operators; undefined if the file uses none. */
  readonly opset: number | undefined;
  /** Names of external data files. */
  readonly externalData: readonly string[];
  /** Byte range of the graph in the file. */
  readonly graph: Field;
};

/** Field numbers of `ModelProto` and `GraphProto` in `onnx.proto`. */
const modelFields = { graph: 7, opsetImport: 8, functions: 25 } as const;
const graphFields = { node: 1, initializer: 5, input: 11, output: 12, valueInfo: 13 } as const;

/** Opens an ONNX file and reads its graph. Of a weight, only the first bytes are read, which have its metadata. */
export async function openOnnxFile(
  source: FileSource,
  check: FileChecks,
  signal?: AbortSignal,
): Promise<OnnxFile> {
  const file = withReadAhead(await openFile(source, { check, ...(signal && { signal }) }));
  const decoded = <T>(read: (bytes: Uint8Array) => T, bytes: Uint8Array, { start }: Span): T => {
    try {
      return read(bytes);
    } catch (cause) {
      return check.refuse(
        {
          argument: file.name,
          received: `a message at byte ${start} that cannot be read`,
          expected: "an ONNX model",
          fix: "the file is damaged or of another format; fetch it again or check which file it is.",
          cause,
        },
        FormatError,
      );
    }
  };
  const value = ({ valueStart: start, end }: Field) => file.read(start, end);

  let graph: Field | undefined;
  let opset: number | undefined;
  const functions: FileFunction[] = [];
  for await (const fields of scanFields(file, { start: 0, end: file.size }, check))
    for (const field of fields) {
      if (field.number === modelFields.graph && field.wireType === wire.length && !graph) graph = field;
      else if (field.number === modelFields.opsetImport) {
        const { domain, version } = decoded(readOperatorSet, await value(field), field);
        if (domain === "") opset = version;
      } else if (field.number === modelFields.functions)
        functions.push(decoded(readFunction, await value(field), field));
    }
  if (!graph) {
    return check.refuse(
      {
        argument: file.name,
        received: `${file.size} bytes without a graph`,
        expected: "an ONNX model",
        fix: "name the model (.onnx), not a file of weights that lies beside it.",
      },
      FormatError,
    );
  }

  const nodes: FileNode[] = [];
  const initializers: TensorHead[] = [];
  const [inputs, outputs, values]: [ValueInfo[], ValueInfo[], ValueInfo[]] = [[], [], []];
  const infos: Record<number, ValueInfo[]> = {
    [graphFields.input]: inputs,
    [graphFields.output]: outputs,
    [graphFields.valueInfo]: values,
  };
  const span = { start: graph.valueStart, end: graph.end };
  for await (const fields of scanFields(file, span, check))
    for (const field of fields) {
      const { number } = field;
      if (number === graphFields.node) nodes.push({ ...decoded(readNode, await value(field), field), field });
      else if (number === graphFields.initializer)
        initializers.push(decoded(readTensorHead, await tensorHeadBytes(file, field, check), field));
      else infos[number]?.push(decoded(readValueInfo, await value(field), field));
    }
  const locations = graphTensors({ nodes, initializers }).map((tensor) => tensor.location);
  const externalData = [...new Set(locations.filter((name) => name !== undefined))];
  return { file, nodes, initializers, inputs, outputs, values, functions, opset, externalData, graph };
}

/** Tensors of a graph and of its nodes' subgraphs. */
function graphTensors({
  nodes,
  initializers,
}: Pick<OnnxFile, "initializers"> & Pick<InnerGraph, "nodes">): TensorHead[] {
  const attributes = nodes.flatMap((node) => [...node.attributes.values()]);
  const constants = attributes.flatMap(({ tensor }) => tensor ?? []);
  return [...initializers, ...constants, ...attributes.flatMap(({ graphs }) => graphs.flatMap(graphTensors))];
}

/** Bytes of a tensor's message, without fields larger than {@link maxInlineBytes}. */
async function tensorHeadBytes(file: OpenFile, tensor: Field, check: FileChecks): Promise<Uint8Array> {
  const { valueStart: start, end } = tensor;
  if (end - start <= maxInlineBytes) return file.read(start, end);
  const parts: Uint8Array[] = [];
  for await (const fields of scanFields(file, { start, end }, check))
    for (const field of fields)
      if (field.end - field.start <= maxInlineBytes) parts.push(await file.read(field.start, field.end));
  return joined(parts);
}

/** Larger fields of a tensor, which hold its elements, are not read. Unit: bytes. */
const maxInlineBytes = 4096;

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Changes of a graph. */
export type GraphChanges = {
  /** Nodes that replace a node, as encoded messages. */
  replaced: ReadonlyMap<FileNode, readonly Uint8Array[]>;
  /** Nodes to append. */
  nodes: readonly Uint8Array[];
  /** Outputs to append. */
  outputs: readonly Uint8Array[];
};

/** New bytes, or a byte range of the file. */
type Piece = Uint8Array | Span;

/** A changed file: its chunks in order, and its size. Unit: bytes. */
export type ChangedFile = { size: number; chunks(): AsyncGenerator<Uint8Array, void, undefined> };

export function changedFile({ file, nodes, graph }: OnnxFile, changes: GraphChanges): ChangedFile {
  const pieces: Piece[] = [];
  let at = graph.valueStart;
  for (const node of nodes) {
    const newNodes = changes.replaced.get(node);
    if (!newNodes) continue;
    pieces.push(
      { start: at, end: node.field.start },
      ...newNodes.map((each) => messageField(graphFields.node, each)),
    );
    at = node.field.end;
  }
  pieces.push({ start: at, end: graph.end });
  pieces.push(...changes.nodes.map((each) => messageField(graphFields.node, each)));
  pieces.push(...changes.outputs.map((each) => messageField(graphFields.output, each)));
  const all: Piece[] = [
    { start: 0, end: graph.start },
    Uint8Array.from([...varint(modelFields.graph * 8 + wire.length), ...varint(totalSize(pieces))]),
    ...pieces,
    { start: graph.end, end: file.size },
  ];
  return {
    size: totalSize(all),
    async *chunks() {
      for (const piece of all) {
        if (piece instanceof Uint8Array) yield piece;
        else {
          for (let start = piece.start; start < piece.end; start += chunkSize)
            yield await file.read(start, Math.min(piece.end, start + chunkSize));
        }
      }
    },
  };
}

/** Size of a chunk of the changed file. Unit: bytes. */
const chunkSize = 2 ** 22;

const totalSize = (pieces: readonly Piece[]): number =>
  pieces.reduce((sum, piece) => sum + ("length" in piece ? piece.length : piece.end - piece.start), 0);

/** Encodes a field that is a message: tag, length, bytes. */
const messageField = (number: number, message: Uint8Array): Uint8Array =>
  joined([Uint8Array.from([...varint(number * 8 + wire.length), ...varint(message.length)]), message]);

/** Encodes a number as a varint of protocol buffers: seven bits per byte. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
}
