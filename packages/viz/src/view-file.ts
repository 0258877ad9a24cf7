import {
  checks,
  fromLittleEndian,
  FormatError,
  knownNames,
  nearestName,
  readSafetensorsHeader,
  unpackHalf,
  type SafetensorsEntry,
} from "@qkv/core";
import type { PictureData } from "./check-data.js";

/**
 * Reads the arguments of a picture from a file, as Python or another program wrote it: a safetensors file whose metadata `args`
 * is JSON of a list, in which `{ "tensor": "weights" }` stands for a tensor of the file; or JSON of such a list alone, with
 * numbers as `{ "data": [1, 0], "shape": [1, 2] }`. An element reads the same file by its attribute `src`. Types of tensors:
 * `F32`, `F64`, `F16`, `BF16`, `I64`, `I32`, `I8`, `U8` and `BOOL`.
 *
 * @param bytes - The file.
 * @returns The list of arguments: `headGrid(...readViewFile(bytes))`.
 * @throws {FormatError} If the file is damaged, has no `args`, or they name a tensor that is not there.
 *
 * @example
 * ```ts
 * import { attentionMap, readViewFile } from "@qkv/viz";
 *
 * const file = new TextEncoder().encode('[{"data":[1,0,0.25,0.75],"shape":[2,2]},{"title":"Two tokens"}]');
 * const args = readViewFile(file) as Parameters<typeof attentionMap>;
 * attentionMap(...args).includes("Two tokens"); // => true
 * ```
 */
export function readViewFile(bytes: ArrayBuffer | Uint8Array): unknown[] {
  const isBytes = bytes instanceof ArrayBuffer || bytes instanceof Uint8Array;
  checks("readViewFile").each(
    { bytes },
    () => isBytes,
    "bytes of a file",
    "give `await response.arrayBuffer()`.",
  );
  const file = new Uint8Array(bytes as ArrayBuffer);
  // A JSON list begins with a bracket, a safetensors file with the length of its header.
  const first = file.find((byte) => !whiteSpace.includes(byte));
  if (first === 0x5b && file[8] !== 0x7b)
    return parseArguments(new TextDecoder().decode(file), () => undefined);
  const { tensors, metadata } = readSafetensorsHeader(file, { source: "the file", fn: "readViewFile" });
  const received = [...metadata.keys()];
  const fix = 'save the tensors with metadata={"args": json.dumps([{"tensor": "weights"}])}.';
  const text =
    metadata.get("args") ??
    check.refuse({ argument: "__metadata__", received, expected: "a text `args`", fix });
  return parseArguments(text, (name) => {
    const entry = tensors.get(name);
    if (entry) return { data: readNumbers(name, entry, file), shape: entry.shape };
    const nearest = nearestName(name, [...tensors.keys()]);
    const fix = nearest === undefined ? "name a tensor of the file." : `did you mean "${nearest}"?`;
    return check.refuse({ argument: "args", received: name, expected: "a tensor of the file", fix });
  });
}

const check = /* @__PURE__ */ checks("readViewFile", { source: "the file" }, FormatError);
const whiteSpace: readonly number[] = [0x20, 0x09, 0x0a, 0x0d];

/** Parses the JSON list, and replaces `{ "tensor": name }` by the tensors. */
function parseArguments(text: string, tensor: (name: string) => PictureData | undefined): unknown[] {
  const facts = {
    argument: "args",
    received: text.slice(0, 80),
    expected: "JSON of a list of what the picture takes",
  };
  const fix = 'write [{"tensor": "weights"}, {"title": "A title"}].';
  const place = (_: string, value: unknown): unknown => {
    const name = (value as { tensor?: unknown } | null)?.tensor;
    return typeof name === "string" && Object.keys(value as object).length === 1
      ? (tensor(name) ?? value)
      : value;
  };
  let args: unknown;
  try {
    args = JSON.parse(text, place);
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    check.refuse({ ...facts, fix, cause });
  }
  return Array.isArray(args) ? args : check.refuse({ ...facts, fix });
}

const stored = {
  F32: "float32",
  F64: "float64",
  I32: "int32",
  U8: "uint8",
  I8: "int8",
  BOOL: "bool",
} as const;

function readNumbers(
  name: string,
  { dtype, start, end }: SafetensorsEntry,
  file: Uint8Array,
): ArrayLike<number> {
  const bytes = file.slice(start, end);
  if (dtype in stored) return fromLittleEndian(stored[dtype as keyof typeof stored], bytes);
  if (dtype === "F16" || dtype === "BF16") {
    const type = dtype === "F16" ? "float16" : "bfloat16";
    return unpackHalf(fromLittleEndian(type, bytes) as Uint16Array, type);
  }
  // The default integers of NumPy have 64 bits.
  const view = new DataView(bytes.buffer);
  if (dtype === "I64")
    return Float64Array.from({ length: bytes.length / 8 }, (_, i) => Number(view.getBigInt64(8 * i, true)));
  const known = [...Object.keys(stored), "F16", "BF16", "I64"];
  const expected = `one of ${knownNames(dtype, known, "the reference of `readViewFile`")}`;
  const fix = "save the tensor as float32.";
  return check.refuse({ argument: `${name}: dtype`, received: dtype, expected, fix });
}
