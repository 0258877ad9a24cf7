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
import { readAhead, scanFields, wire, type Field, type FileChecks, type Span } from "./scan-fields.js";

/** A node, and its place in the file. */
export type FileNode = OnnxNode & { readonly field: Field };

/** A function that a file defines, which nodes call as an operator. */
export type FileFunction = { name: string; nodes: OnnxNode[] };

/**
 * An ONNX file: its graph without the weights' numbers, and the places of all of it. What is written is the file again,
 * byte by byte, but for what is changed: fields that no schema here names are kept with the rest.
 */
export type OnnxFile = {
  readonly file: OpenFile;
  readonly nodes: readonly FileNode[];
  readonly initializers: readonly TensorHead[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** Values in between whose type or shape the file declares. */
  readonly values: readonly ValueInfo[];
  readonly functions: readonly FileFunction[];
  /** Version of ONNX's own operators; undefined where the file uses none. */
  readonly opset: number | undefined;
  /** Names of files beside it that have weights. */
  readonly externalData: readonly string[];
  /** Place of the graph in the model. */
  readonly graph: Field;
};

/** Numbers of fields of a model and of a graph, in `onnx.proto`. */
const modelFields = { graph: 7, opsetImport: 8, functions: 25 } as const;
const graphFields = { node: 1, initializer: 5, input: 11, output: 12, valueInfo: 13 } as const;

/** Opens an ONNX file. Weights are not read: a few bytes of each tell what it is. */
export async function openOnnxFile(
  source: FileSource,
  check: FileChecks,
  signal?: AbortSignal,
): Promise<OnnxFile> {
  const file = readAhead(await openFile(source, { check, ...(signal && { signal }) }));
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
  for await (const field of scanFields(file, { start: 0, end: file.size }, check)) {
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
  for await (const field of scanFields(file, { start: graph.valueStart, end: graph.end }, check)) {
    const { number } = field;
    if (number === graphFields.node) nodes.push({ ...decoded(readNode, await value(field), field), field });
    else if (number === graphFields.initializer)
      initializers.push(decoded(readTensorHead, await tensorHeadBytes(file, field, check), field));
    else infos[number]?.push(decoded(readValueInfo, await value(field), field));
  }
  const locations = tensorsOf({ nodes, initializers }).map((tensor) => tensor.location);
  const externalData = [...new Set(locations.filter((name) => name !== undefined))];
  return { file, nodes, initializers, inputs, outputs, values, functions, opset, externalData, graph };
}

/** Tensors of a graph, and of the graphs that its nodes have. */
function tensorsOf({
  nodes,
  initializers,
}: Pick<OnnxFile, "initializers"> & Pick<InnerGraph, "nodes">): TensorHead[] {
  const attributes = nodes.flatMap((node) => [...node.attributes.values()]);
  const constants = attributes.flatMap(({ tensor }) => tensor ?? []);
  return [...initializers, ...constants, ...attributes.flatMap(({ graphs }) => graphs.flatMap(tensorsOf))];
}

/** Bytes of a tensor without those of its numbers, where they are many. */
async function tensorHeadBytes(file: OpenFile, tensor: Field, check: FileChecks): Promise<Uint8Array> {
  const { valueStart: start, end } = tensor;
  if (end - start <= fewBytes) return file.read(start, end);
  const parts: Uint8Array[] = [];
  for await (const field of scanFields(file, { start, end }, check))
    if (field.end - field.start <= fewBytes) parts.push(await file.read(field.start, field.end));
  return joined(parts);
}

/** Numbers of a tensor are read with the rest of it up to these bytes. */
const fewBytes = 4096;

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
  /** Nodes in place of one, each the bytes of its message. */
  replaced: ReadonlyMap<FileNode, readonly Uint8Array[]>;
  /** Nodes after all others. */
  nodes: readonly Uint8Array[];
  /** Outputs after the others. */
  outputs: readonly Uint8Array[];
};

/** New bytes, or a part of the file. */
type Piece = Uint8Array | Span;

/** The file with its changes, as pieces in order, and its size. Unit: bytes. */
export type ChangedFile = { size: number; chunks(): AsyncGenerator<Uint8Array, void, undefined> };

export function changedFile({ file, nodes, graph }: OnnxFile, changes: GraphChanges): ChangedFile {
  const pieces: Piece[] = [];
  let at = graph.valueStart;
  for (const node of nodes) {
    const instead = changes.replaced.get(node);
    if (!instead) continue;
    pieces.push(
      { start: at, end: node.field.start },
      ...instead.map((each) => tagged(graphFields.node, each)),
    );
    at = node.field.end;
  }
  pieces.push({ start: at, end: graph.end });
  pieces.push(...changes.nodes.map((each) => tagged(graphFields.node, each)));
  pieces.push(...changes.outputs.map((each) => tagged(graphFields.output, each)));
  const all: Piece[] = [
    { start: 0, end: graph.start },
    Uint8Array.from([...varint(modelFields.graph * 8 + wire.length), ...varint(sizeOf(pieces))]),
    ...pieces,
    { start: graph.end, end: file.size },
  ];
  return {
    size: sizeOf(all),
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

/** Bytes of the file that are in memory at a time while it is written. */
const chunkSize = 2 ** 22;

const sizeOf = (pieces: readonly Piece[]): number =>
  pieces.reduce((sum, piece) => sum + ("length" in piece ? piece.length : piece.end - piece.start), 0);

/** A field that is a message. */
const tagged = (number: number, message: Uint8Array): Uint8Array =>
  joined([Uint8Array.from([...varint(number * 8 + wire.length), ...varint(message.length)]), message]);

/** Bytes of a number, seven bits to each. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
}
