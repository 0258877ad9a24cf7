// Bugs of tensors and of gradients.
export const near = ["src/ops/layer-norm.test.ts"];

export const mutants = [
  {
    what: "the gradient of layerNorm ignores eps",
    file: "src/ops/layer-norm.ts",
    find: "rsqrt(add(mean($squares), $eps))",
    replace: "rsqrt(mean($squares))",
  },
  {
    what: "the gradient of rmsNorm ignores eps",
    file: "src/ops/rms-norm.ts",
    find: "rsqrt(add(mean($squares), $eps))",
    replace: "rsqrt(mean($squares))",
  },
];
