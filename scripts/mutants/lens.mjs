// Mutants of the lens: decompositions of residual streams and scores, patches and ablations.
export const near = ["src/decompose/decompose.test.ts"];

const patching = ["src/patching/patching.test.ts"];
const onnx = (name) => [`../../conformance/src/onnx-maps/${name}.test.ts`];

export const mutants = [
  {
    what: "a layer norm's mean stays in the parts",
    file: "src/decompose/norm-parts.ts",
    find: 'norm === "layer" ? sub($y, mean($y, { axis: -1, keepDims: true })) : $y',
    replace: "$y",
  },
  {
    what: "a norm's shift is lost",
    file: "src/decompose/norm-parts.ts",
    find: "if (!params.bias) return mapped;",
    replace: "return mapped;",
  },
  {
    what: "the factor of what is added is left out",
    file: "src/decompose/residual-stream.ts",
    find: "factor === 1 ? parts : parts.map($f)",
    replace: "factor === 1 ? parts : parts",
  },
  {
    what: "a gate of heads is left out",
    file: "src/decompose/residual-stream.ts",
    find: "gate ? gate.apply(subtracted, $logits) : subtracted",
    replace: "subtracted",
  },
  {
    what: "the key of a layer that reads another's is its own",
    file: "src/decompose/score-sides.ts",
    find: "config.sharedKeyValues?.[layer] ?? layer",
    replace: "layer",
  },
  {
    what: "norms after the rotation are before it",
    file: "src/decompose/query-key-parts.ts",
    find: "qkNorm?.afterRope ? normalize(rotate($x)) : rotate(normalize($x))",
    replace: "rotate(normalize($x))",
  },
  {
    what: "a softcap of logits is no part",
    file: "src/decompose/logit-parts.ts",
    find: "logitSoftcap !== undefined",
    replace: "false",
  },
  {
    what: "a feed-forward layer is traced without its activations",
    file: "src/decompose/frozen-feed-forward.ts",
    find: "mul(linearBackward(gradient, down.weight), factors)",
    replace: "linearBackward(gradient, down.weight)",
  },
  {
    what: "a gradient passes a norm without its scale",
    file: "src/decompose/stream-gradient.ts",
    find: "scale ? mul(factors, scale) : factors",
    replace: "factors",
  },
  {
    what: "a pair has the whole score",
    file: "src/decompose/score-graph.ts",
    find: "slice(vectors, 0, i, i + 1)",
    replace: "sum(vectors, { axis: 0, keepDims: true })",
  },
  {
    what: "heads of all layers copy as on embeddings",
    file: "src/session/lens-session.ts",
    near: ["src/session/lens-session.test.ts"],
    find: "startsAtAnyLayer ? take($x, 1, index) : undefined",
    replace: "undefined",
  },
  {
    what: "a patch of a head at a position takes all positions",
    file: "src/patching/patch.ts",
    near: patching,
    find: "position === undefined ? sourceHead : atPosition($a, $b, $c, $d)",
    replace: "sourceHead",
  },
  {
    what: "mean ablation is that of each position",
    file: "src/patching/ablate.ts",
    near: patching,
    find: "source.shape.length === 4 ? [0, 2] : [0, 1]",
    replace: "[0]",
  },
  {
    what: "layers on the way of a path are computed again",
    file: "src/patching/path-patching.ts",
    near: patching,
    find: 'frozen === "all" && $ends',
    replace: "false",
  },
  {
    what: "a window of an ONNX operator has a key more",
    file: "src/onnx/fused/group-query-attention.ts",
    near: onnx("fused"),
    find: 'c.op("Greater", [keyPositions, $start])',
    replace: 'c.op("GreaterOrEqual", [keyPositions, $start])',
  },
  {
    what: "tokens after a past are read from its beginning",
    file: "src/onnx/fused/group-query-attention.ts",
    near: onnx("fused"),
    find: 'c.op("Add", [inRange, pastLength])',
    replace: "inRange",
  },
  {
    what: "query heads share keys by remainder and not by group",
    file: "src/onnx/fused/attend.ts",
    near: onnx("fused"),
    find: "Math.floor(head / (H / keyValue))",
    replace: "head % keyValue",
  },
  {
    what: "a row that sees no key has the mean of all",
    file: "src/onnx/fused/attend.ts",
    near: onnx("standard"),
    find: 'c.op("Where", [sees, weights, c.float32(0)])',
    replace: "weights",
  },
  {
    what: "a mask that is too short hides nothing after its end",
    file: "src/onnx/fused/standard-attention.ts",
    near: onnx("standard"),
    find: "padMask(c, toFloat32(c, mask, maskType), axes, S, -Infinity)",
    replace: "padMask(c, toFloat32(c, mask, maskType), axes, S, 0)",
  },
  {
    what: "a projection counts as queries and keys",
    file: "src/onnx/composed-attention.ts",
    near: onnx("composed"),
    find: "return !graph.isConstant(right);",
    replace: "return true;",
  },
];
