import { isQkvError } from "@qkv/core";
import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { decoder } from "@qkv/transformer";
import { exportModel, memoryFolder } from "@qkv/transformer/export";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { addAttentionMaps } from "../onnx.js";
import { nodeBytes, outputBytes } from "./write-messages.js";

const config = {
  ...{ vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 4, numKvHeads: 2 },
  ...{ contextLength: 32, normEps: 1e-5, stopIds: [] },
};
let file: Uint8Array;
beforeAll(async () => {
  const out = memoryFolder();
  await exportModel({ config, params: decoder(config).init(1) }, { to: "onnx", opset: 17, out });
  const graph = out.files.find(({ name }) => name === "onnx/model.onnx")!;
  file = new Uint8Array(await graph.arrayBuffer());
});

type Field = { number: number; wireType: number; bytes: Uint8Array };

/** The fields of a message, each with the bytes of its tag. */
function readFields(message: Uint8Array): Field[] {
  const reader = new BinaryReader(message);
  const fields: Field[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [number, wireType] = reader.tag();
    reader.skip(wireType, number);
    fields.push({ number, wireType, bytes: message.subarray(start, reader.pos) });
  }
  return fields;
}

const content = ({ bytes }: Field) => {
  const reader = new BinaryReader(bytes);
  reader.tag();
  return reader.bytes();
};

/** The same message with fields that no schema has. */
function withUnknown(message: Uint8Array): Uint8Array {
  return new BinaryWriter().raw(message).tag(1999, 0).uint32(77).tag(2000, 2).string("kept").finish();
}

/** A model whose graph and nodes have unknown fields too. */
function modelWithUnknown(): Uint8Array {
  const writer = new BinaryWriter();
  for (const field of readFields(file)) {
    if (field.number !== 7) {
      writer.raw(field.bytes);
      continue;
    }
    const graph = new BinaryWriter();
    for (const inner of readFields(content(field))) {
      if (inner.number === 1) graph.tag(1, 2).bytes(withUnknown(content(inner)));
      else graph.raw(inner.bytes);
    }
    writer.tag(7, 2).bytes(withUnknown(graph.finish()));
  }
  return withUnknown(writer.finish());
}

test("unchanged bytes are copied, unknown fields included", async () => {
  const before = modelWithUnknown();
  const { bytes, maps } = await addAttentionMaps(before);
  expect(maps.map(({ how }) => how)).toEqual(["exposed", "exposed"]);
  const after = await bytes();
  const [old, made] = [readFields(before), readFields(after)];
  expect(made.filter(({ number }) => number !== 7)).toEqual(old.filter(({ number }) => number !== 7));
  const graphFields = (fields: Field[]) => readFields(content(fields.find(({ number }) => number === 7)!));
  const [oldGraph, newGraph] = [graphFields(old), graphFields(made)];
  expect(newGraph.slice(0, oldGraph.length)).toEqual(oldGraph);
  const added = newGraph.slice(oldGraph.length);
  // Nodes that name the weights, and outputs, and nothing else.
  expect(new Set(added.map(({ number }) => number))).toEqual(new Set([1, 12]));
  expect(added.filter(({ number }) => number === 12)).toHaveLength(2);
});

test("adding maps a second time finds the existing outputs and changes nothing", async () => {
  const once = await (await addAttentionMaps(file)).bytes();
  const again = await addAttentionMaps(once);
  expect(again.maps.map(({ name, how }) => [name, how])).toEqual([
    ["attentions.0", "existing"],
    ["attentions.1", "existing"],
  ]);
  expect(await again.bytes()).toEqual(once);
});

test("shapes are inferred as far as possible: heads, and the names of dynamic axes", async () => {
  const { maps } = await addAttentionMaps(file);
  expect(maps.map(({ shape }) => shape)).toEqual([0, 1].map(() => ["batch_size", 4, "?", "?"]));
  const own = { ...config, numKvHeads: 4 };
  const out = memoryFolder();
  await exportModel({ config: own, params: decoder(own).init(1) }, { to: "onnx", opset: 23, out });
  const graph = out.files.find(({ name }) => name === "onnx/model.onnx")!;
  const asked = await addAttentionMaps(graph);
  expect(asked.maps[0]!.shape!.slice(0, 2)).toEqual(["batch_size", 4]);
  const composed = memoryFolder();
  await exportModel({ config: own, params: decoder(own).init(1) }, { to: "onnx", opset: 17, out: composed });
  const named = await addAttentionMaps(composed.files.find(({ name }) => name === "onnx/model.onnx")!);
  expect(named.maps[0]!.shape!.slice(0, 2)).toEqual(["batch_size", 4]);
});

test("outputs get unused names with the given prefix", async () => {
  const named = await addAttentionMaps(file, { name: "maps" });
  expect(named.maps.map(({ name }) => name)).toEqual(["maps.0", "maps.1"]);
  const taken = await addAttentionMaps(file, { name: "present" });
  expect(taken.maps.map(({ name }) => name)).toEqual(["present.0", "present.1"]);
  const logits = await addAttentionMaps(file, { name: "value" });
  expect(logits.maps.map(({ name }) => name)).toEqual(["value.0_", "value.1_"]);
});

test("weights are skipped: only a small part of a large file is read", async () => {
  const wide = { ...config, vocabSize: 20000, embedDim: 64 };
  const out = memoryFolder();
  await exportModel({ config: wide, params: decoder(wide).init(1) }, { to: "onnx", out });
  const graph = out.files.find(({ name }) => name === "onnx/model.onnx")!;
  let read = 0;
  const { maps, size, chunks } = await addAttentionMaps({
    size: graph.size,
    async read(start, end) {
      read += end - start;
      return new Uint8Array(await graph.slice(start, end).arrayBuffer());
    },
  });
  expect(maps).toHaveLength(2);
  expect(graph.size).toBeGreaterThan(5e6);
  expect(read).toBeLessThan(graph.size / 5);
  let [total, largest] = [0, 0];
  for await (const { length } of chunks()) [total, largest] = [total + length, Math.max(largest, length)];
  expect(total).toBe(size);
  expect(largest).toBeLessThanOrEqual(2 ** 22);
});

test("property: a truncated or changed file is read or refused, and never fails otherwise", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(file.length - 1), fc.nat(255), fc.boolean(), async (at, byte, cut) => {
      const damaged = cut ? file.slice(0, at) : file.slice();
      if (!cut) damaged[at] = byte;
      try {
        const { bytes, size } = await addAttentionMaps(damaged);
        expect((await bytes()).length).toBe(size);
      } catch (error) {
        expect(isQkvError(error), String(error)).toBe(true);
      }
    }),
    { numRuns: 60 },
  );
});

/** A model of nodes and declared values. */
function modelOf(
  nodes: readonly (readonly [type: string, inputs: string[], output: string])[],
  values: Record<string, number[]>,
) {
  const graph = new BinaryWriter();
  for (const [i, [type, inputs, output]] of nodes.entries()) {
    const node = nodeBytes({ name: `n${i}`, type, inputs, outputs: [output], attributes: {} });
    graph.tag(1, 2).bytes(node);
  }
  for (const [name, shape] of Object.entries(values)) graph.tag(13, 2).bytes(outputBytes(name, 7, shape));
  return new BinaryWriter().tag(7, 2).bytes(graph.finish()).finish();
}

const chain = (count: number, node: (i: number) => readonly [string, string[], string]) =>
  Array.from({ length: count }, (_, i) => node(i));

// The work and the memory are bounded by the file, whatever its numbers say.
test.each<[string, () => Uint8Array]>([
  ...[100_000_000, 4_294_967_295, 1e15, -5].map((length): [string, () => Uint8Array] => [
    `lengths that are ${length} in number`,
    () => modelOf([["Reshape", ["x", "s"], "y"]], { s: [length], x: [1, 2] }),
  ]),
  [
    "ranks that double sixty times",
    () =>
      modelOf(
        chain(60, (i) => ["Gather", [`x${i}`, `x${i}`], `x${i + 1}`]),
        { x0: [3, 3] },
      ),
  ],
  [
    "lists of lengths that double sixty times",
    () =>
      modelOf(
        [
          ...chain(60, (i): [string, string[], string] => ["Concat", [`c${i}`, `c${i}`], `c${i + 1}`]),
          ["Reshape", ["x", "c60"], "y"],
        ],
        { c0: [2], x: [1, 2] },
      ),
  ],
  [
    "20,000 nodes in the opposite order",
    () =>
      modelOf(
        chain(20_000, (i) => ["Add", [`x${19_999 - i}`, "b"], `x${20_000 - i}`]),
        { x0: [3, 3], b: [3, 3] },
      ),
  ],
  [
    "20,000 nodes in a circle",
    () =>
      modelOf(
        chain(20_000, (i) => ["Add", [`x${i}`, "b"], `x${(i + 1) % 20_000}`]),
        { b: [3, 3] },
      ),
  ],
])("a graph with %s has no maps, and is read", async (_, make) => {
  expect((await addAttentionMaps(make())).maps).toEqual([]);
});

test("a message of millions of fields is refused", async () => {
  await expect(addAttentionMaps(new Uint8Array(2 ** 22).map((_, i) => (i % 2 ? 1 : 8)))).rejects.toThrow(
    /a message of more than 1048576 fields/,
  );
});

test("a file that is not a model is refused with the byte", async () => {
  await expect(addAttentionMaps(new TextEncoder().encode("<html>no model</html>"))).rejects.toThrow(
    /addAttentionMaps: .*bytes.*\nFix: /,
  );
  await expect(addAttentionMaps(new Uint8Array(0))).rejects.toThrow(
    /0 bytes.* is "?0 bytes without a graph"?, expected an ONNX model\.\nFix: name the model \(\.onnx\)/,
  );
  await expect(addAttentionMaps(file, { decompose: "some" as "all" })).rejects.toThrow(
    /`decompose` is "some", expected "needed" or "all"/,
  );
  await expect(addAttentionMaps(file, { decomposed: "all" } as object)).rejects.toThrow(
    /Fix: write `decompose`/,
  );
});
