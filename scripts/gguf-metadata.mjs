// GGUF files with other metadata, for tests.

/**
 * The same file with other metadata.
 *
 * @param {{ readGgufHeader: any, writeGgufHeader: any }} core - Of @qkv/core.
 * @param {Uint8Array<ArrayBuffer>} file
 * @param {(fields: Record<string, { type: string, value: any }>) => void} change - Changes the fields in place.
 */
export function withGgufMetadata({ readGgufHeader, writeGgufHeader }, file, change) {
  const { metadata, tensors, dataStart } = readGgufHeader(file);
  const fields = Object.fromEntries(
    [...metadata].map(([key, value]) => [key, { type: typeOf(key, value), value }]),
  );
  change(fields);
  const sizes = tensors.map((one, i) => (tensors[i + 1]?.offset ?? file.length - dataStart) - one.offset);
  const header = writeGgufHeader(
    fields,
    tensors.map(({ name, dims, type }, i) => ({ name, dims, type, bytes: sizes[i] })),
  );
  const whole = new Uint8Array(header.length + file.length - dataStart);
  whole.set(header);
  whole.set(file.subarray(dataStart), header.length);
  return whole;
}

/** The type of a field, which a header that was read says no more. */
function typeOf(key, value) {
  if (Array.isArray(value)) {
    const list = { boolean: "bool[]", string: "string[]" }[typeof value[0]] ?? "float32[]";
    // Kinds of tokens are whole numbers, which llama.cpp reads as such.
    return key === "tokenizer.ggml.token_type" ? "int32[]" : list;
  }
  if (typeof value !== "number") return typeof value === "boolean" ? "bool" : "string";
  return Number.isInteger(value) && !/epsilon|freq_base/.test(key) ? "uint32" : "float32";
}
