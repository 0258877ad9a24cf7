// Mutants of kernels with one number per thread, which `webasm` runs. Kernels of WebGL 2 would need a browser.
export const near = ["src/webasm.test.ts"];
export const elsewhere = [
  "../../conformance/src/gpu-attention.test.ts",
  "../../conformance/src/rotate.test.ts",
];

export const mutants = [
  {
    what: "scores are not scaled",
    file: "src/scalar/attention.ts",
    find: "$sum * this.constants.scale",
    replace: "$sum",
  },
  {
    what: "query heads are told from key-value heads by the remainder",
    file: "src/scalar/attention.ts",
    in: "rowText",
    find: 'divideText("g", "h", $group)',
    replace: '"const g = h - ((h / " + H / $group + ") | 0) * " + H / $group + ";"',
  },
  {
    what: "the halves of a word of mask bits are exchanged",
    file: "src/scalar/attention.ts",
    in: "planBuffers",
    find: "$halves[2 * $word] = $bits & 0xffff; $halves[2 * $word + 1] = $bits >>> 16;",
    replace: "$halves[2 * $word] = $bits >>> 16; $halves[2 * $word + 1] = $bits & 0xffff;",
  },
  {
    what: "a tile that is seen whole is hidden, and the other way round",
    file: "src/scalar/attention.ts",
    in: "planBuffers",
    find: "$one === 0 ? -1 : $one === 2 ? -2 : $place",
    replace: "$one === 0 ? -2 : $one === 2 ? -1 : $place",
  },
  {
    what: "queries of expressions are the first positions",
    file: "src/scalar/attention.ts",
    in: "queryPositionData",
    find: "firstQueryPosition($first, $batch) + ($n % $T)",
    replace: "$n % $T",
  },
  {
    what: "lse without the maximum",
    file: "src/scalar/attention.ts",
    find: "top[$n] + Math.log(total[$n])",
    replace: "Math.log(total[$n])",
  },
  {
    what: "the softcap is not multiplied back",
    file: "src/scalar/attention.ts",
    find: "this.constants.softcap * Math.tanh($x)",
    replace: "Math.tanh($x)",
  },
  {
    what: "a masked value is multiplied by 0, so its NaN leaks",
    file: "src/scalar/attention.ts",
    find: "$w !== 0",
    replace: "$w >= 0",
  },
  {
    what: "silu has the sign of its exponent wrong",
    file: "src/scalar/elementwise.ts",
    in: "silu",
    find: "$a / (1 + Math.exp(-$a))",
    replace: "$a / (1 + Math.exp($a))",
  },
  {
    what: "gelu's cubic term is ten times as large",
    file: "src/scalar/elementwise.ts",
    in: "geluTanh",
    find: "0.044715",
    replace: "0.44715",
  },
  {
    what: "<= is <",
    file: "src/scalar/elementwise.ts",
    in: "lessEqual",
    find: "$a <= $b",
    replace: "$a < $b",
  },
  {
    what: "where takes the other one",
    file: "src/scalar/elementwise.ts",
    in: "chosen",
    find: "$a !== 0",
    replace: "$a === 0",
  },
  {
    what: "the layouts of rotary pairs are exchanged",
    file: "src/scalar/rotate.ts",
    find: '$layout === "half"',
    replace: '$layout === "interleaved"',
  },
  {
    what: "rotations go the other way",
    file: "src/scalar/rotate.ts",
    find: '$inverse ? ">" : "<"',
    replace: '$inverse ? "<" : ">"',
  },
  {
    what: "rows of a batch of matrices count from the first matrix",
    file: "src/scalar/matmul.ts",
    find: "(row - matrix * $M) * $step",
    replace: "row * $step",
  },
  {
    what: "a mean is a sum",
    file: "src/scalar/reduce.ts",
    in: "mean",
    find: "`${$all} / ${$count}`",
    replace: "$all",
  },
  {
    what: "rmsNorm adds eps outside of the root",
    file: "src/scalar/lines.ts",
    in: "rmsNorm",
    find: "Math.sqrt($square + this.constants.eps)",
    replace: "(Math.sqrt($square) + this.constants.eps)",
  },
  {
    what: "a write ends one row late",
    file: "src/scalar/write.ts",
    find: "$at >= $end",
    replace: "$at > $end",
  },
  {
    what: "an index of a table is rounded up",
    file: "src/scalar/expression-text.ts",
    find: "Math.max(0, Math.floor($index))",
    replace: "Math.max(0, Math.ceil($index))",
  },
];
