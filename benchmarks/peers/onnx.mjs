// Writes ONNX models, so that onnxruntime can run any row. A model is a protocol buffer: fields with a number and a
// wire type (0 varint, 2 length-delimited, 5 four bytes). Field numbers are those of onnx.proto3.
const utf8 = new TextEncoder();

/** Element types of tensors. */
export const types = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float16: 10 };

/**
 * A graph builder: `input`, `constant` and `op` return names for later calls; `output` names an output; `bytes` is the encoded
 * model.
 *
 * @returns {any}
 */
export function graph({ opset = 20 } = {}) {
  const [nodes, initializers, inputs, outputs] = [[], [], [], []];
  let count = 0;
  const known = new Map();
  return {
    /** A dimension that is a string is dynamic. */
    input(name, shape, type = "float32") {
      inputs.push(valueInfo(name, shape, type));
      return name;
    },
    output(name, shape, type = "float32") {
      outputs.push(valueInfo(name, shape, type));
      return name;
    },
    constant(data, shape, type = "float32") {
      const name = `c${count++}`;
      initializers.push(tensor(name, data, shape, type));
      return name;
    },
    scalar(value) {
      return this.constant(Float32Array.of(value), []);
    },
    /** A constant list of lengths or indices; equal lists are stored once. */
    list(...values) {
      const key = values.join();
      if (!known.has(key))
        known.set(key, this.constant(BigInt64Array.from(values, BigInt), [values.length], "int64"));
      return known.get(key);
    },
    /** `to`: names of its outputs, or their number. Returns a single name for one output. */
    op(type, operands, attributes = {}, { domain = "", to = 1 } = {}) {
      const names = Array.isArray(to) ? to : Array.from({ length: to }, () => `v${count++}`);
      nodes.push([
        ...operands.map((name) => text(1, name)),
        ...names.map((name) => text(2, name)),
        text(4, type),
        ...Object.entries(attributes).map(([name, value]) => message(5, attribute(name, value))),
        text(7, domain),
      ]);
      return names.length === 1 ? names[0] : names;
    },
    bytes() {
      const content = [
        ...nodes.map((node) => message(1, node)),
        text(2, "graph"),
        ...initializers.map((each) => message(5, each)),
        ...inputs.map((each) => message(11, each)),
        ...outputs.map((each) => message(12, each)),
      ];
      const imports = [
        ["", opset],
        ["com.microsoft", 1],
      ].map(([domain, version]) => message(8, [text(1, domain), integer(2, version)]));
      return joined([integer(1, 10), message(7, content), ...imports]);
    },
  };
}

function valueInfo(name, shape, type) {
  const lengths = shape.map((length) =>
    message(1, [typeof length === "string" ? text(2, length) : integer(1, length)]),
  );
  return [text(1, name), message(2, [message(1, [integer(1, types[type]), message(2, lengths)])])];
}

function tensor(name, data, shape, type) {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return [
    ...shape.map((length) => integer(1, length)),
    integer(2, types[type]),
    text(8, name),
    bytes(9, raw),
  ];
}

/** Attributes: integers, lists of them, strings, and `{ float }`. */
function attribute(name, value) {
  if (typeof value === "number") return [text(1, name), integer(3, value), integer(20, 2)];
  if (typeof value === "string") return [text(1, name), text(4, value), integer(20, 3)];
  if (Array.isArray(value)) return [text(1, name), ...value.map((each) => integer(8, each)), integer(20, 7)];
  const float = new Uint8Array(Float32Array.of(value.float).buffer);
  return [text(1, name), tag(2, 5), float, integer(20, 1)];
}

const tag = (field, wire) => varint((field << 3) | wire);
const integer = (field, value) => joined([tag(field, 0), varint(value)]);
const text = (field, value) => bytes(field, utf8.encode(value));
/** Parts are concatenated at the end only: weights are not copied at each level. */
const bytes = (field, value) => [tag(field, 2), varint(value.length), value];
const message = (field, parts) => [tag(field, 2), varint(lengthOf(parts)), ...parts];

function varint(value) {
  const out = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  return Uint8Array.from([...out, Number(rest)]);
}

/** @type {(part: any) => number} */
const lengthOf = (part) =>
  part instanceof Uint8Array ? part.length : part.reduce((sum, each) => sum + lengthOf(each), 0);

function joined(parts) {
  const out = new Uint8Array(lengthOf(parts));
  let at = 0;
  const write = (part) => {
    if (!(part instanceof Uint8Array)) return part.forEach(write);
    out.set(part, at);
    at += part.length;
  };
  write(parts);
  return out;
}
