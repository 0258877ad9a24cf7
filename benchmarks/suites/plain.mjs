// The plain device, which is the fallback everywhere, beside the loop that people write first.
import { matmul, randn } from "../../packages/tensor/dist/index.js";

/** The textbook product of n × n matrices. */
function threeLoops(a, b, n) {
  const out = new Float32Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += a[i * n + k] * b[k * n + j];
      out[i * n + j] = sum;
    }
  }
  return out;
}

export const plain = [64, 256, 512].map((n) => {
  const [a, b] = [randn([n, n], { seed: 1 }), randn([n, n], { seed: 2 })];
  const [left, right] = [a.data, b.data];
  return {
    id: `plain/matmul-${n}`,
    unit: "GFLOP/s",
    work: (2 * n ** 3) / 1e9,
    tolerance: 1e-3,
    contenders: [
      { name: "plain i-j-k loop", kind: "peer", run: () => threeLoops(left, right, n) },
      { name: "@qkv/tensor on js", kind: "ours", run: () => matmul(a, b).data },
    ],
  };
});
