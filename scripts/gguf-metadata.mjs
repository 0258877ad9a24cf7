// GGUF files with other metadata, for tests.

/**
 * The same file with other metadata.
 *
 * @param {{ readGgufHeader: any, writeGgufHeader: any }} core - Functions of @qkv/core.
 * @param {Uint8Array<ArrayBuffer>} file
 * @param {(fields: Record<string, { type: string, value: any }>) => void} change - Changes the fields in place.
 */
export function withGgufMetadata({ readGgufHeader, writeGgufHeader }, file, change) {
  const { metadata, tensors, dataStart } = readGgufHeader(file);
  const fields = Object.fromEntries(
    [...metadata].map(([key, value]) => [key, { type: inferType(key, value), value }]),
  );
  change(fields);
  const sizes = tensors.map(({ offset }, i) => (tensors[i + 1]?.offset ?? file.length - dataStart) - offset);
  const header = writeGgufHeader(
    fields,
    tensors.map(({ name, dims, type }, i) => ({ name, dims, type, bytes: sizes[i] })),
  );
  const changed = new Uint8Array(header.length + file.length - dataStart);
  changed.set(header);
  changed.set(file.subarray(dataStart), header.length);
  return changed;
}

/** The GGUF type of a field, inferred from its value: a header that was read contains values without types. */
function inferType(key, value) {
  if (Array.isArray(value)) {
    const list = { boolean: "bool[]", string: "string[]" }[typeof value[0]] ?? "float32[]";
    // llama.cpp requires integers here.
    return key === "tokenizer.ggml.token_type" ? "int32[]" : list;
  }
  if (typeof value !== "number") return typeof value === "boolean" ? "bool" : "string";
  return Number.isInteger(value) && !/epsilon|freq_base/.test(key) ? "uint32" : "float32";
}
