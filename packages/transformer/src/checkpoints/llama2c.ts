import { ByteReader, FormatError } from "@qkv/core";
import { tensor, type Device, type Tensor } from "@qkv/tensor";
import type { DecoderConfig } from "../models/decoder-config.js";
import type { DecoderLayerParams, DecoderParams } from "../models/decoder.js";

/** The header of a llama2.c checkpoint, in its order. A negative vocabulary size marks an output matrix of its own. */
const header = ["dim", "hidden_dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "seq_len"] as const;
type Header = Record<(typeof header)[number], number>;

/**
 * Reads a checkpoint of llama2.c (its first format): seven numbers, then float32 weights, kind by kind and layer by
 * layer. Each size is checked against the file before room for it is allocated.
 *
 * @param bytes - The whole file.
 * @param options - `source`: the file's name, for messages. `device`: where weights go.
 * @throws {FormatError} That names the field.
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
  { source, device }: { source: string; device?: Device },
): { config: DecoderConfig; params: DecoderParams } {
  const reader = new ByteReader(bytes, { fn: "load", source });
  const sizes = Object.fromEntries(header.map((field) => [field, reader.int32(field)])) as Header;
  checkHeader(source, sizes);
  const { dim: C, hidden_dim: F, n_layers: L, n_heads: H, n_kv_heads: Hkv, seq_len: contextLength } = sizes;
  const V = Math.abs(sizes.vocab_size);
  const D = C / H;

  const read = (field: string, shape: readonly number[]): Tensor => {
    const size = shape.reduce((a, b) => a * b, 1);
    const x = tensor(reader.float32Array(field, size), { shape });
    return device ? x.to(device) : x; // moved once, to stay
  };
  const readLayers = (field: string, shape: readonly number[]): Tensor[] =>
    Array.from({ length: L }, (_, i) => read(`${field}[${i}]`, shape));

  const embedding = { weight: read("tok_emb", [V, C]) };
  const attentionNorm = readLayers("att_norm", [C]);
  const query = readLayers("wq", [C, C]);
  const key = readLayers("wk", [Hkv * D, C]);
  const value = readLayers("wv", [Hkv * D, C]);
  const output = readLayers("wo", [C, C]);
  const feedForwardNorm = readLayers("ffn_norm", [C]);
  const gate = readLayers("w1", [F, C]);
  const down = readLayers("w2", [C, F]);
  const up = readLayers("w3", [F, C]);
  const norm = { weight: read("final_norm", [C]) };
  reader.skip("freq_cis", 2 * contextLength * (D / 2) * 4); // angles, which rope computes
  const classifier = sizes.vocab_size < 0 ? { output: { weight: read("wcls", [V, C]) } } : {};
  if (reader.remaining !== 0) {
    throw bad(source, "end of file", `${reader.remaining} bytes after the weights`, "none");
  }

  const layers = Array.from({ length: L }, (_, i): DecoderLayerParams => ({
    attentionNorm: { weight: attentionNorm[i]! },
    attention: {
      query: { weight: query[i]! },
      key: { weight: key[i]! },
      value: { weight: value[i]! },
      output: { weight: output[i]! },
    },
    feedForwardNorm: { weight: feedForwardNorm[i]! },
    feedForward: { gate: { weight: gate[i]! }, up: { weight: up[i]! }, down: { weight: down[i]! } },
  }));
  return {
    config: {
      vocabSize: V,
      embedDim: C,
      hiddenDim: F,
      numLayers: L,
      numHeads: H,
      numKvHeads: Hkv,
      contextLength,
      normEps: 1e-5,
      ropeBase: 10000,
      ropeLayout: "interleaved",
      // llama2.c ends a text at the token that begins one, and at no other.
      stopIds: [1],
    },
    params: { embedding, layers, norm, ...classifier },
  };
}

function checkHeader(source: string, sizes: Header): void {
  for (const field of header) {
    const value = field === "vocab_size" ? Math.abs(sizes[field]) : sizes[field];
    if (value < 1) throw bad(source, field, sizes[field], "1 or more");
  }
  const { dim, n_heads: heads, n_kv_heads: kvHeads } = sizes;
  if ((dim / heads) % 2 !== 0) throw bad(source, "n_heads", heads, `heads of an even size in dim = ${dim}`);
  if (heads % kvHeads !== 0) throw bad(source, "n_kv_heads", kvHeads, `a divisor of n_heads = ${heads}`);
}

function bad(source: string, field: string, received: unknown, expected: string): FormatError {
  return new FormatError({
    fn: "load",
    argument: `${source}: ${field}`,
    received,
    expected,
    fix: "the file is damaged or not a llama2.c checkpoint; fetch it again or check which file it is.",
  });
}
