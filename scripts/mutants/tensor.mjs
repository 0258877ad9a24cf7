// Bugs of gradients. `find` occurs once in `file`, a path in packages/tensor/src.
export const near = ["ops/layer-norm.test.ts"];

export const mutants = [
  {
    what: "the gradient of layerNorm ignores eps",
    file: "ops/layer-norm.ts",
    find: "rsqrt(add(mean(mul(centered, centered)), eps))",
    replace: "rsqrt(mean(mul(centered, centered)))",
  },
  {
    what: "the gradient of rmsNorm ignores eps",
    file: "ops/rms-norm.ts",
    find: "rsqrt(add(mean(mul(x!, x!)), eps))",
    replace: "rsqrt(mean(mul(x!, x!)))",
  },
];
