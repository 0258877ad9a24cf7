import { fromHalfBits, type HalfType } from "@qkv/core";
import { decodeFloats, halfType, type FloatFormat } from "./decode-floats.js";
import { mxfp4Value, mxfp4Scale } from "./mxfp4-values.js";

/** Block format of a GGUF type. */
export type BlockType = {
  readonly name: string;
  /** Elements per block. */
  readonly elements: number;
  /** Bytes per block. */
  readonly bytes: number;
  /** The 16-bit type of the elements; undefined for other types. */
  readonly half?: HalfType | undefined;
  /** Decodes a whole number of blocks. */
  decode(bytes: Uint8Array<ArrayBuffer>): Float32Array;
};

/** Decodes the block at byte `at` of `view` to `out`, from index `to` on. */
type DecodeBlock = (view: DataView, at: number, out: Float32Array, to: number) => void;

function blocks(name: string, elements: number, bytes: number, decodeBlock: DecodeBlock): BlockType {
  return {
    name,
    elements,
    bytes,
    decode(data) {
      const view = new DataView(data.buffer, data.byteOffset, data.length);
      const out = new Float32Array((data.length / bytes) * elements);
      for (let n = 0; n * bytes < data.length; n++) decodeBlock(view, n * bytes, out, n * elements);
      return out;
    },
  };
}

const half = (view: DataView, at: number) => fromHalfBits(view.getUint16(at, true), "float16");

/** q8_0: scale d, then 32 int8 q. Value: d · q. */
const q8_0 = /* @__PURE__ */ blocks("Q8_0", 32, 34, (view, at, out, to) => {
  const d = half(view, at);
  for (let i = 0; i < 32; i++) out[to + i] = d * view.getInt8(at + 2 + i);
});

/** q4_0: scale d, then 16 bytes with the first 16 elements in the low nibbles and the others in the high nibbles. Value: d · (q − 8). */
const q4_0 = /* @__PURE__ */ blocks("Q4_0", 32, 18, (view, at, out, to) => {
  const d = half(view, at);
  for (let i = 0; i < 16; i++) {
    const pair = view.getUint8(at + 2 + i);
    out[to + i] = d * ((pair & 15) - 8);
    out[to + 16 + i] = d * ((pair >> 4) - 8);
  }
});

/** q4_1: as q4_0, with a minimum m. Value: d · q + m. */
const q4_1 = /* @__PURE__ */ blocks("Q4_1", 32, 20, (view, at, out, to) => {
  const [d, min] = [half(view, at), half(view, at + 2)];
  for (let i = 0; i < 16; i++) {
    const pair = view.getUint8(at + 4 + i);
    out[to + i] = d * (pair & 15) + min;
    out[to + 16 + i] = d * (pair >> 4) + min;
  }
});

/** q5_0: as q4_0, with the fifth bits of the 32 elements in the four bytes before them. Value: d · (q − 16). */
const q5_0 = /* @__PURE__ */ blocks("Q5_0", 32, 22, (view, at, out, to) => {
  const [d, high] = [half(view, at), view.getUint32(at + 2, true)];
  for (let i = 0; i < 32; i++) out[to + i] = d * (fiveBits(view, at + 6, high, i) - 16);
});

/** q5_1: as q5_0, with a minimum m. Value: d · q + m. */
const q5_1 = /* @__PURE__ */ blocks("Q5_1", 32, 24, (view, at, out, to) => {
  const [d, min, high] = [half(view, at), half(view, at + 2), view.getUint32(at + 4, true)];
  for (let i = 0; i < 32; i++) out[to + i] = d * fiveBits(view, at + 8, high, i) + min;
});

function fiveBits(view: DataView, at: number, high: number, i: number): number {
  const low = (view.getUint8(at + (i % 16)) >> (i < 16 ? 0 : 4)) & 15;
  return low | (((high >>> i) & 1) << 4);
}

/** Scale and minimum of the j-th of 8 groups: 6 bits each, packed into 12 bytes. */
function scaleAndMin(view: DataView, at: number, j: number): readonly [scale: number, min: number] {
  const byte = (n: number) => view.getUint8(at + n);
  if (j < 4) return [byte(j) & 63, byte(j + 4) & 63];
  return [(byte(j + 4) & 15) | ((byte(j - 4) >> 6) << 4), (byte(j + 4) >> 4) | ((byte(j) >> 6) << 4)];
}

/** q4_k: d and dmin, scales and minima of 8 groups, then 128 bytes: each 32 bytes contain two groups, in low and high nibbles. Value: d · scale · q − dmin · min. */
const q4_k = /* @__PURE__ */ blocks("Q4_K", 256, 144, (view, at, out, to) => {
  const [d, dmin] = [half(view, at), half(view, at + 2)];
  for (let j = 0; j < 8; j++) {
    const [scale, min] = scaleAndMin(view, at + 4, j);
    const from = at + 16 + 32 * (j >> 1);
    for (let i = 0; i < 32; i++) {
      const q = (view.getUint8(from + i) >> (j % 2 ? 4 : 0)) & 15;
      out[to + 32 * j + i] = d * scale * q - dmin * min;
    }
  }
});

/** q5_k: as q4_k, with the fifth bits in 32 more bytes: bit j of byte i belongs to element i of group j. */
const q5_k = /* @__PURE__ */ blocks("Q5_K", 256, 176, (view, at, out, to) => {
  const [d, dmin] = [half(view, at), half(view, at + 2)];
  for (let j = 0; j < 8; j++) {
    const [scale, min] = scaleAndMin(view, at + 4, j);
    const from = at + 48 + 32 * (j >> 1);
    for (let i = 0; i < 32; i++) {
      const high = (view.getUint8(at + 16 + i) >> j) & 1;
      const q = ((view.getUint8(from + i) >> (j % 2 ? 4 : 0)) & 15) | (high << 4);
      out[to + 32 * j + i] = d * scale * q - dmin * min;
    }
  }
});

/** q6_k: 128 bytes of low four bits, 64 bytes of high two bits, 16 int8 scales for 16 elements each, then d. Value: d · scale · (q − 32). */
const q6_k = /* @__PURE__ */ blocks("Q6_K", 256, 210, (view, at, out, to) => {
  const d = half(view, at + 208);
  for (let i = 0; i < 256; i++) {
    const [part, rest] = [i >> 7, i & 127];
    const [row, l] = [rest >> 5, rest & 31];
    const low = view.getUint8(at + 64 * part + 32 * (row & 1) + l) >> (row < 2 ? 0 : 4);
    const high = view.getUint8(at + 128 + 32 * part + l) >> (2 * row);
    const scale = view.getInt8(at + 192 + 8 * part + 2 * row + (l >> 4));
    out[to + i] = d * scale * (((low & 15) | ((high & 3) << 4)) - 32);
  }
});

/** mxfp4: a byte with the exponent of the scale, then 16 bytes with the first 16 elements in the low nibbles and the others in the high nibbles. */
const mxfp4 = /* @__PURE__ */ blocks("MXFP4", 32, 17, (view, at, out, to) => {
  const scale = mxfp4Scale(view.getUint8(at));
  for (let i = 0; i < 16; i++) {
    const pair = view.getUint8(at + 1 + i);
    out[to + i] = mxfp4Value(pair & 15) * scale;
    out[to + 16 + i] = mxfp4Value(pair >> 4) * scale;
  }
});

const float = (name: string, bytes: number, format: FloatFormat): BlockType => ({
  name,
  elements: 1,
  bytes,
  half: halfType(format),
  decode: (data) => decodeFloats(data, format),
});

/** Names of the types without a decoder, by ggml type id. */
export const otherTypes: Readonly<Record<number, string>> = {
  9: "Q8_1",
  10: "Q2_K",
  11: "Q3_K",
  15: "Q8_K",
  16: "IQ2_XXS",
  17: "IQ2_XS",
  18: "IQ3_XXS",
  19: "IQ1_S",
  20: "IQ4_NL",
  21: "IQ3_S",
  22: "IQ2_S",
  23: "IQ4_XS",
  24: "I8",
  25: "I16",
  26: "I32",
  27: "I64",
  29: "IQ1_M",
  34: "TQ1_0",
  35: "TQ2_0",
  40: "NVFP4",
  41: "Q1_0",
  42: "Q2_0",
};

/** Supported types, by ggml type id. */
export const blockTypes: Readonly<Record<number, BlockType>> = {
  0: /* @__PURE__ */ float("F32", 4, "float32"),
  1: /* @__PURE__ */ float("F16", 2, "float16"),
  2: q4_0,
  3: q4_1,
  6: q5_0,
  7: q5_1,
  8: q8_0,
  12: q4_k,
  13: q5_k,
  14: q6_k,
  28: /* @__PURE__ */ float("F64", 8, "float64"),
  30: /* @__PURE__ */ float("BF16", 2, "bfloat16"),
  39: mxfp4,
};
