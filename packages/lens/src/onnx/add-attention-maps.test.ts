import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { expect, test } from "vitest";
import { addAttentionMaps } from "../onnx.js";

type Written = (writer: BinaryWriter) => void;
const encode = (fill: Written) => {
  const writer = new BinaryWriter();
  fill(writer);
  return writer.finish();
};
const message =
  (field: number, fill: Written): Written =>
  (writer) =>
    writer.tag(field, 2).bytes(encode(fill));
const all =
  (...parts: Written[]): Written =>
  (writer) =>
    parts.forEach((part) => part(writer));

type NodeOptions = { name?: string; domain?: string; attributes?: Written[] };
const node = (
  type: string,
  inputs: string[],
  outputs: string[],
  { name, domain, attributes = [] }: NodeOptions = {},
) =>
  message(1, (writer) => {
    for (const each of inputs) writer.tag(1, 2).string(each);
    for (const each of outputs) writer.tag(2, 2).string(each);
    if (name !== undefined) writer.tag(3, 2).string(name);
    writer.tag(4, 2).string(type);
    for (const attribute of attributes) message(5, attribute)(writer);
    if (domain !== undefined) writer.tag(7, 2).string(domain);
  });
const integer =
  (name: string, value: number): Written =>
  (writer) =>
    writer.tag(1, 2).string(name).tag(3, 0).int64(value).tag(20, 0).int32(2);
const integers =
  (name: string, values: readonly number[]): Written =>
  (writer) => {
    writer.tag(1, 2).string(name).tag(20, 0).int32(7);
    for (const value of values) writer.tag(8, 0).int64(value);
  };
const subgraph = (name: string, graph: Written): Written =>
  all((writer) => void writer.tag(1, 2).string(name), message(6, graph));
const port = (field: number, name: string, axes: number, elementType = 1) =>
  message(field, (writer) => {
    writer.tag(1, 2).string(name);
    message(
      2,
      message(1, (type) => {
        type.tag(1, 0).int32(elementType);
        message(2, (shape) => {
          for (let axis = 0; axis < axes; axis++)
            message(1, (length) => void length.tag(2, 2).string(`n${axis}`))(shape);
        })(type);
      }),
    )(writer);
  });

/** A model of one graph, and of operators of a version. */
const model = (graph: Written, opset = 17, more: Written = () => undefined) =>
  encode(
    all(
      (writer) => void writer.tag(1, 0).int64(8),
      message(7, graph),
      message(8, (writer) => void writer.tag(2, 0).int64(opset)),
      more,
    ),
  );
const attention = all(
  node("Transpose", ["k"], ["kt"]),
  node("MatMul", ["q", "kt"], ["scores"]),
  node("Softmax", ["scores"], ["weights"], { name: "soft", attributes: [integer("axis", -1)] }),
  node("MatMul", ["weights", "v"], ["mixed"]),
);

test("attention inside a branch or a function is skipped, and the reason names it", async () => {
  const branches = [
    subgraph("then_branch", attention),
    subgraph("else_branch", node("Identity", ["q"], ["x"])),
  ];
  const file = model(
    all(node("If", ["condition"], ["y"], { name: "choice", attributes: branches }), port(12, "y", 4)),
    17,
    message(25, (writer) => {
      writer.tag(1, 2).string("Attend");
      const bare = encode(attention);
      // Nodes of a function have another number than nodes of a graph.
      const renumbered = bare.map((byte, i) => (byte === 10 && starts(bare).has(i) ? 58 : byte));
      writer.raw(renumbered);
    }),
  );
  const { maps, skipped, bytes } = await addAttentionMaps(file);
  expect(maps).toEqual([]);
  expect(skipped).toEqual([
    { node: "soft", operator: "Softmax", reason: "it is inside then_branch of choice, a graph of its own" },
    {
      node: "soft",
      operator: "Softmax",
      reason: "it is inside the function Attend, whose values are no outputs of the graph",
    },
  ]);
  expect(await bytes()).toEqual(file);
});

test("inside a branch, a weight of the outer graph is not a key, and a softmax over another axis has its own reason", async () => {
  const gate = all(
    node("MatMul", ["q", "w"], ["gates"]),
    node("Softmax", ["gates"], ["gate"], { name: "gate" }),
    node("MatMul", ["gate", "w"], ["z"]),
  );
  const columns = all(
    node("MatMul", ["q", "kt"], ["scores"]),
    node("Softmax", ["scores"], ["weights"], { name: "columns", attributes: [integer("axis", 0)] }),
    node("MatMul", ["weights", "q"], ["mixed"]),
  );
  const branches = [subgraph("then_branch", gate), subgraph("else_branch", columns)];
  const weight = message(5, (writer) => {
    writer.tag(1, 0).int64(4).tag(1, 0).int64(4).tag(2, 0).int32(1).tag(8, 2).string("w");
  });
  const parts = [weight, node("Transpose", ["q"], ["kt"]), port(11, "q", 4), port(12, "y", 4)];
  const file = model(all(...parts, node("If", ["condition"], ["y"], { attributes: branches })));
  const { skipped } = await addAttentionMaps(file);
  expect(skipped.map(({ node, reason }) => `${node}: ${reason}`)).toEqual([
    "gate: its input is not a product of queries and keys",
    "columns: it is a softmax over axis 0, which is not the last",
  ]);
});

test("external data of a branch is listed, and a damaged branch is refused", async () => {
  const weights = message(5, (writer) => {
    writer.tag(1, 0).int64(4).tag(2, 0).int32(1).tag(8, 2).string("w").tag(14, 0).int32(1);
    message(13, (entry) => void entry.tag(1, 2).string("location").tag(2, 2).string("branch.bin"))(writer);
  });
  const withBranch = (graph: Written) => {
    const branch = node("If", ["condition"], ["y"], { attributes: [subgraph("then_branch", graph)] });
    return model(all(branch, port(12, "y", 4)));
  };
  expect((await addAttentionMaps(withBranch(weights))).externalData).toEqual(["branch.bin"]);
  const damaged = withBranch((writer) => void writer.raw(Uint8Array.of(14, 14)));
  await expect(addAttentionMaps(damaged)).rejects.toThrow(
    /`.*` is "a message at byte \d+ that cannot be read"/,
  );
});

test("an existing output of the weights is listed with its own shape", async () => {
  const ports = [port(11, "q", 3), port(11, "k", 3), port(11, "v", 3), port(12, "map", 4)];
  const file = model(all(attention, node("Reshape", ["weights", "shape"], ["map"]), ...ports));
  const { maps } = await addAttentionMaps(file);
  expect(maps).toMatchObject([{ name: "map", how: "existing", shape: ["n0", "n1", "n2", "n3"] }]);
});

const at = (axis: number) => ({ attributes: [integers("axes", [axis])] });
const sumAt = (axis: number, keepdims = 0) => ({
  attributes: [integers("axes", [axis]), integer("keepdims", keepdims)],
});
/** Queries `[B, H, T, 1, D]` times keys `[B, H, 1, S, D]`, and the sum over D. */
const summedScores = all(
  node("Unsqueeze", ["q"], ["q5"], at(3)),
  node("Unsqueeze", ["k"], ["k5"], at(2)),
  node("Mul", ["q5", "k5"], ["qk"]),
  node("ReduceSum", ["qk"], ["dots"], sumAt(-1)),
  node("Mul", ["dots", "scale"], ["scores"]),
  node("Softmax", ["scores"], ["weights"], { name: "soft", attributes: [integer("axis", -1)] }),
);
const ofValues: [string, Written, value: string][] = [
  ["a matrix product", node("MatMul", ["weights", "v"], ["y"]), "weights"],
  [
    "elements and a sum",
    all(
      node("Unsqueeze", ["weights"], ["w5"], at(-1)),
      node("Unsqueeze", ["v"], ["v5"], at(2)),
      node("Mul", ["v5", "w5"], ["wv"]),
      node("ReduceSum", ["wv"], ["y"], sumAt(3)),
    ),
    "weights",
  ],
  [
    "elements of transposed values and a sum, after a mask and the totals that it leaves",
    all(
      node("Mul", ["weights", "heads"], ["some"]),
      node("ReduceSum", ["some"], ["totals"], sumAt(-1, 1)),
      node("Div", ["some", "totals"], ["kept"]),
      node("Unsqueeze", ["kept"], ["w5"], at(3)),
      node("Transpose", ["v"], ["vt"], { attributes: [integers("perm", [0, 1, 3, 2])] }),
      node("Unsqueeze", ["vt"], ["v5"], at(2)),
      node("Mul", ["w5", "v5"], ["wv"]),
      node("ReduceSum", ["wv"], ["y"], sumAt(-1)),
    ),
    "kept",
  ],
];

test.each(ofValues)(
  "scores that are elements and their sum, and with values %s, are attention",
  async (_, own, value) => {
    const ports = ["q", "k", "v", "heads"].map((name) => port(11, name, 4));
    const file = model(all(...ports, port(11, "scale", 0), port(12, "y", 4), summedScores, own), 12);
    const { maps, skipped, bytes } = await addAttentionMaps(file);
    expect(skipped).toEqual([]);
    expect(maps).toMatchObject([
      { name: "attentions.0", node: "soft", how: "exposed", shape: ["n0", "n1", "n2", "n2"] },
    ]);
    // The identity that gives the map takes this value.
    const text = new TextDecoder("latin1").decode(await bytes());
    expect(text).toContain(`\n${String.fromCharCode(value.length)}${value}\u0012\fattentions.0`);
  },
);

test("a norm of rows is no product of queries and keys, and sums whose axes are not known are skipped", async () => {
  const norm = all(
    node("Mul", ["q", "q"], ["squares"]),
    node("ReduceSum", ["squares"], ["norms"], sumAt(-1, 1)),
    node("Softmax", ["norms"], ["gate"]),
    node("MatMul", ["gate", "v"], ["z"], {}),
  );
  const unknown = all(
    node("Unsqueeze", ["weights", "place"], ["w5"]),
    node("Mul", ["w5", "v"], ["wv"]),
    node("ReduceSum", ["wv"], ["y"], sumAt(-2)),
  );
  const ports = ["q", "k", "v"].map((name) => port(11, name, 4));
  const file = model(all(...ports, port(12, "y", 4), norm, summedScores, unknown), 12);
  const { maps, skipped } = await addAttentionMaps(file);
  expect(maps).toEqual([]);
  expect(skipped.map(({ node, reason }) => `${node}: ${reason}`)).toEqual([
    "gate: its input is not a product of queries and keys",
    "soft: its output is not multiplied with values",
  ]);
});

/** Places at which the fields of a message begin, each shorter than 128 bytes. */
function starts(bytes: Uint8Array): Set<number> {
  const places = new Set<number>();
  for (let at = 0; at < bytes.length; at += 2 + bytes[at + 1]!) places.add(at);
  return places;
}

test.each<
  [string, NodeOptions & { inputs?: string[]; opset?: number; axes?: number; type?: number }, string]
>([
  ["PackedMultiHeadAttention", { domain: "com.microsoft" }, "this operator is not supported"],
  ["LinearAttention", {}, "it has no softmax, and so no weights"],
  ["FlashAttention", { domain: "my.domain" }, "this operator is not known"],
  [
    "MultiHeadAttention",
    { domain: "com.microsoft", attributes: [integer("num_heads", 2)], opset: 11 },
    "it would be decomposed into operators of version 12 or later, and the file has 11",
  ],
  [
    "MultiHeadAttention",
    { domain: "com.microsoft", attributes: [integer("num_heads", 2), integer("new_option", 1)] },
    "its attribute new_option is not known",
  ],
  [
    "MultiHeadAttention",
    {
      domain: "com.microsoft",
      attributes: [integer("num_heads", 2)],
      inputs: [..."qkv", ..."      ", "past"],
    },
    "its input 9 is not known",
  ],
  [
    "MultiHeadAttention",
    { domain: "com.microsoft", attributes: [integer("num_heads", 2)], type: 11 },
    "the type of its numbers is not known, or no float",
  ],
  [
    "Attention",
    { domain: "com.microsoft", attributes: [integer("num_heads", 2), integer("do_rotary", 1)] },
    "it has do_rotary",
  ],
  [
    "GroupQueryAttention",
    {
      domain: "com.microsoft",
      attributes: [integer("num_heads", 2), integer("kv_num_heads", 1)],
      inputs: ["q"],
    },
    "it lacks queries, lengths or a number of heads",
  ],
])("%s %j is skipped with the reason", async (type, options, reason) => {
  const { inputs = ["q", "k", "v"], opset, type: elementType, ...own } = options;
  const given = inputs.map((name) => name.trim());
  const ports = ["q", "k", "v"].map((name) => port(11, name, 3, elementType));
  const file = model(
    all(node(type, given, ["y"], { name: "fused", ...own }), ...ports, port(12, "y", 3)),
    opset,
  );
  const { maps, skipped, bytes } = await addAttentionMaps(file);
  const operator = own.domain === undefined ? type : `${own.domain}.${type}`;
  expect([maps, skipped]).toEqual([[], [{ node: "fused", operator, reason }]]);
  expect(await bytes()).toEqual(file);
});

test("a softmax that is not multiplied with values, and a quantized one, are skipped", async () => {
  const dots = all(node("Transpose", ["k"], ["kt"]), node("MatMul", ["q", "kt"], ["scores"]));
  const file = model(
    all(
      ...[port(11, "q", 4), port(11, "k", 4), port(12, "y", 4), dots],
      node("Softmax", ["scores"], ["y"], { name: "last" }),
      node("QLinearSoftmax", ["z"], ["w"], { name: "quantized", domain: "com.microsoft" }),
    ),
  );
  const { maps, skipped } = await addAttentionMaps(file);
  expect(maps).toEqual([]);
  expect(skipped).toEqual([
    { node: "last", operator: "Softmax", reason: "its output is not multiplied with values" },
    {
      ...{ node: "quantized", operator: "com.microsoft.QLinearSoftmax" },
      reason: "it computes with quantized numbers",
    },
  ]);
});
