// The decoder as an ONNX model, with the cache as inputs and outputs, as exporters write it.
import { graph } from "../peers/onnx.mjs";
import { openSession } from "../peers/onnxruntime.mjs";
import { transposed, weights } from "./shapes.mjs";

export async function openOnnxruntime(shape, kind, context) {
  const { session, ort } = await openSession(kind, modelOf(shape), context);
  const { L, H, D } = shape;
  let [past, length] = [[], 0];
  return {
    threads: context.threads,
    note: "its cache passes through the program",
    reset() {
      past = Array.from(
        { length: 2 * L },
        () => new ort.Tensor("float32", new Float32Array(0), [1, H, 0, D]),
      );
      length = 0;
    },
    async step(ids) {
      const [T, S] = [ids.length, length + ids.length];
      const mask = new Float32Array(T * S);
      for (let i = 0; i < T; i++) mask.fill(-1e9, i * S + length + i + 1, (i + 1) * S);
      const places = BigInt64Array.from(ids, (_, i) => BigInt(length + i));
      const feeds = {
        ids: new ort.Tensor("int64", BigInt64Array.from(ids, BigInt), [1, T]),
        places: new ort.Tensor("int64", places, [1, T]),
        mask: new ort.Tensor("float32", mask, [T, S]),
      };
      past.forEach((tensor, i) => (feeds[`past${i}`] = tensor));
      const results = await session.run(feeds);
      past = past.map((_, i) => results[`present${i}`]);
      length = S;
      return results.logits.data;
    },
  };
}

function modelOf(shape) {
  const { gpt, C, L, H, D, V, context } = shape;
  const all = weights(shape);
  const g = graph();
  const [ids, places] = [g.input("ids", [1, "T"], "int64"), g.input("places", [1, "T"], "int64")];
  const mask = g.input("mask", ["T", "S"]);
  const microsoft = { domain: "com.microsoft" };
  const constant = (name) => g.constant(all.data(name), all.shape(name));
  const map = (x, name) => {
    const [out, inner] = all.shape(name);
    const product = g.op("MatMul", [x, g.constant(transposed(all.data(name), out, inner), [inner, out])]);
    return all.has(`${name}.bias`) ? g.op("Add", [product, constant(`${name}.bias`)]) : product;
  };
  const epsilon = { axis: -1, epsilon: { float: 1e-5 } };
  const norm = (x, name) =>
    gpt
      ? g.op("LayerNormalization", [x, constant(name), constant(`${name}.bias`)], epsilon)
      : g.op("SimplifiedLayerNormalization", [x, constant(name)], { ...epsilon, stash_type: 1 });
  const heads = (x) => g.op("Transpose", [g.op("Reshape", [x, g.list(1, -1, H, D)])], { perm: [0, 2, 1, 3] });

  const table = constant("embedding");
  let x = g.op("Gather", [table, ids]);
  let rotate = (each) => each;
  if (gpt) {
    x = g.op("Add", [x, g.op("Gather", [constant("positions"), places])]);
  } else {
    const angles = (of) =>
      g.constant(
        Float32Array.from({ length: (context * D) / 2 }, (_, i) =>
          of(Math.floor(i / (D / 2)) / 10000 ** ((2 * (i % (D / 2))) / D)),
        ),
        [context, D / 2],
      );
    const [cos, sin] = [angles(Math.cos), angles(Math.sin)];
    rotate = (each) => g.op("RotaryEmbedding", [each, places, cos, sin], { interleaved: 0 }, microsoft);
  }
  for (let layer = 0; layer < L; layer++) {
    const normed = norm(x, `attentionNorm.${layer}`);
    const query = rotate(heads(map(normed, `query.${layer}`)));
    const [key, value] = ["key", "value"].map((name, i) => {
      const past = g.input(`past${2 * layer + i}`, [1, H, "P", D]);
      const present = g.output(`present${2 * layer + i}`, [1, H, "S", D]);
      const own = heads(map(normed, `${name}.${layer}`));
      return g.op("Concat", [past, i === 0 ? rotate(own) : own], { axis: 2 }, { to: [present] });
    });
    const dots = g.op("MatMul", [query, g.op("Transpose", [key], { perm: [0, 1, 3, 2] })]);
    const scores = g.op("Add", [g.op("Mul", [dots, g.scalar(1 / Math.sqrt(D))]), mask]);
    const attended = g.op("MatMul", [g.op("Softmax", [scores], { axis: -1 }), value]);
    const rows = g.op("Reshape", [g.op("Transpose", [attended], { perm: [0, 2, 1, 3] }), g.list(1, -1, C)]);
    x = g.op("Add", [x, map(rows, `output.${layer}`)]);
    const inner = norm(x, `feedForwardNorm.${layer}`);
    const up = map(inner, `up.${layer}`);
    const gate = gpt ? undefined : map(inner, `gate.${layer}`);
    const bent = gpt
      ? g.op("Gelu", [up], { approximate: "tanh" })
      : g.op("Mul", [g.op("Mul", [gate, g.op("Sigmoid", [gate])]), up]);
    x = g.op("Add", [x, map(bent, `down.${layer}`)]);
  }
  const last = g.op("Slice", [norm(x, "norm"), g.list(-1), g.list(2n ** 62n), g.list(1)]);
  const row = g.op("Reshape", [last, g.list(1, C)]);
  g.op("Gemm", [row, table], { transB: 1 }, { to: [g.output("logits", [1, V])] });
  return g.bytes();
}
