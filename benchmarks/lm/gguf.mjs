// Writes GGUF files for llama.cpp: a header, metadata by key, the offset of each tensor, then the tensors.
const utf8 = new TextEncoder();
const kinds = { u32: 4, i32: 5, f32: 6, text: 8, list: 9 };
/** Ids of tensor types, and their encoders. */
const encodings = {
  f32: { type: 0, encode: (data) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength) },
  q8_0: { type: 8, encode: blocksOf8Bits },
};

/**
 * @param facts - [name, kind, value]; the kind of an array is "list of u32" and so on.
 * @param tensors - [{ name, shape, data, encoding }]; `shape` as usual, the last axis the inner one.
 * @returns The file, in pieces.
 */
export function gguf(facts, tensors) {
  const pieces = [];
  let length = 0;
  const push = (bytes) => {
    pieces.push(bytes);
    length += bytes.length;
  };
  const pad = () => push(new Uint8Array((32 - (length % 32)) % 32));
  const number = (bytes, method, value) => {
    const view = new DataView(new ArrayBuffer(bytes));
    view[method](0, value, true);
    push(new Uint8Array(view.buffer));
  };
  const write = {
    u32: (value) => number(4, "setUint32", value),
    i32: (value) => number(4, "setInt32", value),
    f32: (value) => number(4, "setFloat32", value),
    u64: (value) => number(8, "setBigUint64", BigInt(value)),
    text(value) {
      const bytes = utf8.encode(value);
      write.u64(bytes.length);
      push(bytes);
    },
  };
  push(utf8.encode("GGUF"));
  write.u32(3);
  write.u64(tensors.length);
  write.u64(facts.length);
  for (const [name, kind, value] of facts) {
    write.text(name);
    const [, element] = /^list of (.*)$/.exec(kind) ?? [];
    write.u32(kinds[element ? "list" : kind]);
    if (!element) {
      write[kind](value);
      continue;
    }
    write.u32(kinds[element]);
    write.u64(value.length);
    value.forEach(write[element]);
  }
  const encoded = tensors.map(({ data, encoding }) => encodings[encoding].encode(data));
  let at = 0;
  tensors.forEach(({ name, shape, encoding }, i) => {
    write.text(name);
    write.u32(shape.length);
    shape.toReversed().forEach(write.u64);
    write.u32(encodings[encoding].type);
    write.u64(at);
    at += Math.ceil(encoded[i].length / 32) * 32;
  });
  pad();
  for (const bytes of encoded) {
    push(bytes);
    pad();
  }
  return pieces;
}

/** Q8_0: blocks of 32 elements, a half-precision scale, then 8-bit integers. */
function blocksOf8Bits(data) {
  const out = new Uint8Array((data.length / 32) * 34);
  const view = new DataView(out.buffer);
  for (let block = 0; block < data.length / 32; block++) {
    const numbers = data.subarray(block * 32, (block + 1) * 32);
    const scale = numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0) / 127 || 1;
    view.setUint16(block * 34, halfBits(scale), true);
    numbers.forEach((x, i) => view.setInt8(block * 34 + 2 + i, Math.round(x / scale)));
  }
  return out;
}

/** Rounds a normal float to float16, towards zero: a slightly smaller scale does not matter here. */
function halfBits(value) {
  const [bits] = new Uint32Array(Float32Array.of(value).buffer);
  const exponent = ((bits >>> 23) & 255) - 112;
  return exponent <= 0 ? 0 : (exponent << 10) | ((bits >>> 13) & 1023);
}
