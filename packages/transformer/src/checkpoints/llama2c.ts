import { ByteReader, checks, FormatError, sizeOf, type Checks } from "@qkv/core";
import { tensor, type Device, type Tensor } from "@qkv/tensor";
import { decodeFloats } from "../loading/decode-floats.js";
import type { OpenFile, ReadFile } from "../loading/open-file.js";
import { chunkBytes } from "../loading/weight-file.js";
import { fileWeights, type WeightOptions } from "../loading/weights.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import type { DecoderLayerParams, DecoderParams } from "../models/decoder.js";

/** The header of a llama2.c checkpoint, in file order. A negative vocabulary size means that the output projection is not tied. */
const header = ["dim", "hidden_dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "seq_len"] as const;
type Header = Record<(typeof header)[number], number>;

/**
 * Reads a llama2.c checkpoint of version 0: seven int32 values, then float32 weights, for each kind of tensor all layers in
 * order. Each size is checked against the file before memory is allocated.
 *
 * @param bytes - The whole file.
 * @param options - `source`: name of the file, for messages. `device`: device of the weights.
 * @throws {FormatError} If a size is invalid or the file is truncated; the error names the field.
 * @see https://github.com/karpathy/llama2.c, `export.py`, `legacy_export`
 *
 * @example
 * ```ts
 * import { readLlama2c } from "@qkv/transformer";
 *
 * // dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len; then the weights, here all 0.
 * const header = Int32Array.of(2, 3, 1, 1, 1, 5, 4);
 * const checkpoint = new Uint8Array(4 * (7 + 58));
 * checkpoint.set(new Uint8Array(header.buffer));
 *
 * const { config, params } = readLlama2c(checkpoint, { source: "tiny.bin" });
 * config.embedDim; // => 2
 * params.layers[0]?.attention.key.weight.shape; // => [2, 2]
 * readLlama2c(checkpoint.subarray(0, 60), { source: "tiny.bin" }); // => throws FormatError: tok_emb
 * ```
 */
export function readLlama2c(
  bytes: Uint8Array,
  options: { source: string; device?: Device },
): { config: DecoderConfig; params: DecoderParams } {
  const check: Checks = checks("readLlama2c");
  const isBytes = (value: unknown) => value instanceof Uint8Array;
  check.each({ bytes }, isBytes, "the bytes of a checkpoint, as a Uint8Array");
  const { source, device } = check.options(options, ["source", "device"]);
  check.type({ source }, "string", "give the file's name, for messages.");
  const file = { name: source, fn: "readLlama2c" };
  const sizes = readHeader(bytes, file);
  const tensors = new Map<string, Tensor>();
  for (const { field, shape, start } of checkedTensors(sizes, file, bytes.length)) {
    const reader = new ByteReader(bytes.subarray(start), { fn: file.fn, source });
    const x = tensor(reader.float32Array(field, sizeOf(shape)), { shape });
    tensors.set(field, device ? x.to(device) : x);
  }
  return assemble(sizes, tensors);
}

/** Bytes of the header: seven int32 values. */
export const llama2cHeaderSize = 28;

/** Reads a llama2.c checkpoint from a file, tensor by tensor, directly to the device. */
export async function readLlama2cFile(
  file: OpenFile,
  weightOptions?: WeightOptions,
): Promise<{ config: DecoderConfig; params: DecoderParams }> {
  const head = await file.read(0, Math.min(llama2cHeaderSize, file.size));
  const sizes = readHeader(head, file);
  const entries = new Map(
    checkedTensors(sizes, file, file.size).map(({ field, ...tensor }) => [field, tensor]),
  );
  const weights = fileWeights(
    {
      name: file.name,
      fn: file.fn,
      names: [...entries.keys()],
      shape: (name) => entries.get(name)?.shape,
      async *chunks(name) {
        const { start, shape } = entries.get(name)!;
        const end = start + 4 * sizeOf(shape);
        for (let from = start; from < end; from += chunkBytes) {
          yield decodeFloats(await file.read(from, Math.min(end, from + chunkBytes)), "float32");
        }
      },
    },
    weightOptions,
  );
  const tensors = new Map<string, Tensor>();
  for (const [name, { shape }] of entries) {
    const isMatrix = shape.length === 2 && name !== "tok_emb";
    tensors.set(name, await (isMatrix ? weights.matrix : weights.tensor)(name, shape));
  }
  return assemble(sizes, tensors);
}

function readHeader(bytes: Uint8Array, file: ReadFile): Header {
  const reader = new ByteReader(bytes, { fn: file.fn, source: file.name });
  const sizes = Object.fromEntries(header.map((field) => [field, reader.int32(field)])) as Header;
  checkHeader(file, sizes);
  return sizes;
}

type FileTensor = { field: string; shape: readonly number[] };

/** The tensors after the header, in file order. `freq_cis` are RoPE angles, which are not read. */
function* fileTensors(sizes: Header): Iterable<FileTensor> {
  const { dim: C, hidden_dim: F, n_layers: L, n_heads: H, n_kv_heads: Hkv, seq_len } = sizes;
  const [V, D] = [Math.abs(sizes.vocab_size), C / H];
  const kinds: [field: string, shape: readonly number[]][] = [
    ["att_norm", [C]],
    ["wq", [C, C]],
    ["wk", [Hkv * D, C]],
    ["wv", [Hkv * D, C]],
    ["wo", [C, C]],
    ["ffn_norm", [C]],
    ["w1", [F, C]],
    ["w2", [C, F]],
    ["w3", [F, C]],
  ];
  yield { field: "tok_emb", shape: [V, C] };
  for (const [field, shape] of kinds) for (let i = 0; i < L; i++) yield { field: `${field}[${i}]`, shape };
  yield { field: "final_norm", shape: [C] };
  yield { field: "freq_cis", shape: [seq_len, D] };
  if (sizes.vocab_size < 0) yield { field: "wcls", shape: [V, C] };
}

/** The tensors and their offsets. Each is checked against the size of the file. */
function checkedTensors(sizes: Header, file: ReadFile, fileSize: number): (FileTensor & { start: number })[] {
  const check = fileChecks(file);
  const tensors: (FileTensor & { start: number })[] = [];
  let start = llama2cHeaderSize;
  for (const { field, shape } of fileTensors(sizes)) {
    const bytes = 4 * sizeOf(shape);
    if (!(start + bytes <= fileSize)) {
      const received = `${fileSize - start} bytes, at byte ${start} of ${fileSize}`;
      check.refuse({ argument: field, received, expected: `${bytes} bytes` });
    }
    if (field !== "freq_cis") tensors.push({ field, shape, start });
    start += bytes;
  }
  if (start !== fileSize) {
    const received = `${fileSize - start} bytes after the weights`;
    check.refuse({ argument: "end of file", received, expected: "none" });
  }
  return tensors;
}

function assemble(
  sizes: Header,
  tensors: ReadonlyMap<string, Tensor>,
): { config: DecoderConfig; params: DecoderParams } {
  const weightParams = (field: string) => ({ weight: tensors.get(field)! });
  const layers = Array.from({ length: sizes.n_layers }, (_, i): DecoderLayerParams => ({
    attentionNorm: weightParams(`att_norm[${i}]`),
    attention: {
      query: weightParams(`wq[${i}]`),
      key: weightParams(`wk[${i}]`),
      value: weightParams(`wv[${i}]`),
      output: weightParams(`wo[${i}]`),
    },
    feedForwardNorm: weightParams(`ffn_norm[${i}]`),
    feedForward: {
      gate: weightParams(`w1[${i}]`),
      up: weightParams(`w3[${i}]`),
      down: weightParams(`w2[${i}]`),
    },
  }));
  return {
    config: {
      vocabSize: Math.abs(sizes.vocab_size),
      embedDim: sizes.dim,
      hiddenDim: sizes.hidden_dim,
      numLayers: sizes.n_layers,
      numHeads: sizes.n_heads,
      numKvHeads: sizes.n_kv_heads,
      contextLength: sizes.seq_len,
      normEps: 1e-5,
      ropeBase: 10000,
      ropeLayout: "interleaved",
      // llama2.c stops only at the beginning-of-sequence token.
      stopIds: [1],
    },
    params: {
      embedding: weightParams("tok_emb"),
      layers,
      norm: weightParams("final_norm"),
      ...(sizes.vocab_size < 0 && { output: weightParams("wcls") }),
    },
  };
}

function checkHeader(file: ReadFile, sizes: Header): void {
  const check = fileChecks(file);
  for (const field of header) {
    const value = field === "vocab_size" ? Math.abs(sizes[field]) : sizes[field];
    check.each({ [field]: sizes[field] }, () => value >= 1, "1 or more");
  }
  const { dim, n_heads: heads, n_kv_heads: kvHeads } = sizes;
  const isEven = () => (dim / heads) % 2 === 0;
  check.each({ n_heads: heads }, isEven, `heads of an even size in dim = ${dim}`);
  check.each({ n_kv_heads: kvHeads }, () => heads % kvHeads === 0, `a divisor of n_heads = ${heads}`);
}

const fileChecks = ({ name, fn }: ReadFile) =>
  checks(
    fn,
    {
      source: name,
      fix: "the file is damaged or not a llama2.c checkpoint; fetch it again or check which file it is.",
    },
    FormatError,
  );
