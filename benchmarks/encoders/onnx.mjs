// An encoder as an ONNX model: composed of standard operators, as exporters write it, or with onnxruntime's fused
// operators.
import { transposed } from "../lm/shapes.mjs";
import { graph } from "../peers/onnx.mjs";
import { patches, weights } from "./shapes.mjs";

const microsoft = { domain: "com.microsoft" };

/**
 * From ids to rows [B, T, C], as exported models of sentence-transformers; with `pooled`, to their normalized mean.
 *
 * @param options - `fused`: operators of onnxruntime.
 */
export function textModel(shape, { pooled = false, fused = false } = {}) {
  const all = weights(shape);
  const { C } = shape;
  const g = graph();
  const place = ["B", "T"];
  const [ids, types] = [g.input("input_ids", place, "int64"), g.input("token_type_ids", place, "int64")];
  const part = parts(g, all, shape, fused);
  const embedded = g.op("Add", [
    g.op("Add", [g.op("Gather", [part.constant("embedding"), ids]), part.constant("positions")]),
    g.op("Gather", [part.constant("types"), types]),
  ]);
  const rows = layers(g, part, shape, part.norm(embedded, "embeddingNorm"));
  if (!pooled) {
    // Exported models have a mask input; these texts have equal lengths.
    g.input("attention_mask", place, "int64");
    g.op("Identity", [rows], {}, { to: [g.output("last_hidden_state", [...place, C])] });
    return g.bytes();
  }
  const mean = g.op("ReduceMean", [rows, g.list(1)], { keepdims: 0 });
  const length = g.op("ReduceL2", [mean, g.list(1)], { keepdims: 1 });
  g.op("Div", [mean, length], {}, { to: [g.output("vectors", ["B", C])] });
  return g.bytes();
}

/** From pixels [1, 3, image, image] to logits of the classes. */
export function pictureModel(shape, { fused = false } = {}) {
  const all = weights(shape);
  const { C, image, patch, classes } = shape;
  const g = graph();
  const pixels = g.input("pixel_values", [1, 3, image, image]);
  const part = parts(g, all, shape, fused);
  const kernel = g.constant(all.data("patches"), [C, 3, patch, patch]);
  const map = g.op("Conv", [pixels, kernel, part.constant("patches.bias")], {
    kernel_shape: [patch, patch],
    strides: [patch, patch],
  });
  const flat = g.op("Reshape", [map, g.list(1, C, patches(shape))]);
  const tokens = g.op("Concat", [part.constant("class"), g.op("Transpose", [flat], { perm: [0, 2, 1] })], {
    axis: 1,
  });
  const rows = layers(g, part, shape, g.op("Add", [tokens, part.constant("positions")]));
  const first = g.op(
    "Gather",
    [part.norm(rows, "finalNorm"), g.constant(BigInt64Array.of(0n), [], "int64")],
    {
      axis: 1,
    },
  );
  const head = g.constant(all.data("head"), [classes, C]);
  g.op(
    "Gemm",
    [first, head, part.constant("head.bias")],
    { transB: 1 },
    { to: [g.output("logits", [1, classes])] },
  );
  return g.bytes();
}

/** Parts of a layer, by the names of their weights. */
function parts(g, all, { C, F, H, eps }, fused) {
  const D = C / H;
  const constant = (name) => g.constant(all.data(name), all.shape(name));
  const product = (x, name) => {
    const [out, inner] = all.shape(name);
    return g.op("MatMul", [x, g.constant(transposed(all.data(name), out, inner), [inner, out])]);
  };
  const map = (x, name) => g.op("Add", [product(x, name), constant(`${name}.bias`)]);
  const gains = (name) => [constant(name), constant(`${name}.bias`)];
  const heads = (x) => g.op("Transpose", [g.op("Reshape", [x, g.list(0, 0, H, D)])], { perm: [0, 2, 1, 3] });
  const attended = (query, key, value) => {
    if (fused) return g.op("MultiHeadAttention", [query, key, value], { num_heads: H }, microsoft);
    const dots = g.op("MatMul", [heads(query), g.op("Transpose", [heads(key)], { perm: [0, 1, 3, 2] })]);
    const weights = g.op("Softmax", [g.op("Mul", [dots, g.scalar(1 / Math.sqrt(D))])], { axis: -1 });
    const mixed = g.op("Transpose", [g.op("MatMul", [weights, heads(value)])], { perm: [0, 2, 1, 3] });
    return g.op("Reshape", [mixed, g.list(0, 0, C)]);
  };
  return {
    constant,
    norm: (x, name) => g.op("LayerNormalization", [x, ...gains(name)], { axis: -1, epsilon: { float: eps } }),
    /** Adds a linear map of x to `beside`, and returns the sum and its norm. */
    addAndNorm(x, map, beside, norm) {
      if (!fused) {
        const sum = g.op("Add", [g.op("Add", [product(x, map), constant(`${map}.bias`)]), beside]);
        return { sum, normed: this.norm(sum, norm) };
      }
      const inputs = [product(x, map), beside, ...gains(norm), constant(`${map}.bias`)];
      const to = ["", ""].map((_, i) => `${map}.${i ? "normed" : "sum"}`);
      g.op(
        "SkipLayerNormalization",
        inputs,
        { epsilon: { float: eps } },
        { ...microsoft, to: [to[1], "", "", to[0]] },
      );
      return { sum: to[0], normed: to[1] };
    },
    attend: (x, i) => attended(...["query", "key", "value"].map((name) => map(x, `${name}.${i}`))),
    up(x, i) {
      const inner = product(x, `up.${i}`);
      const bias = g.constant(all.data(`up.${i}.bias`), [F]);
      return fused
        ? g.op("BiasGelu", [inner, bias], {}, microsoft)
        : g.op("Gelu", [g.op("Add", [inner, bias])], { approximate: "none" });
    },
    map,
  };
}

function layers(g, part, { L, post }, x) {
  if (post) {
    for (let i = 0; i < L; i++) {
      const { normed } = part.addAndNorm(part.attend(x, i), `output.${i}`, x, `attentionNorm.${i}`);
      x = part.addAndNorm(part.up(normed, i), `down.${i}`, normed, `feedForwardNorm.${i}`).normed;
    }
    return x;
  }
  let read = part.norm(x, "attentionNorm.0");
  for (let i = 0; i < L; i++) {
    const { sum, normed } = part.addAndNorm(part.attend(read, i), `output.${i}`, x, `feedForwardNorm.${i}`);
    const inner = part.up(normed, i);
    if (i + 1 === L) return g.op("Add", [part.map(inner, `down.${i}`), sum]);
    ({ sum: x, normed: read } = part.addAndNorm(inner, `down.${i}`, sum, `attentionNorm.${i + 1}`));
  }
}
