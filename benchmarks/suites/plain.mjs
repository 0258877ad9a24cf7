// The plain device, which is the fallback everywhere, compared with the textbook loop.
import { numbers } from "../data.mjs";

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

export const rows = [64, 256, 512].map((n) => {
  const matrices = () => [numbers(1, n * n), numbers(2, n * n)];
  return {
    id: `plain/matmul-${n}`,
    unit: "GFLOP/s",
    better: "high",
    work: (2 * n ** 3) / 1e9,
    tolerance: 1e-3,
    contenders: [
      {
        name: "plain i-j-k loop",
        kind: "peer",
        resident: "nothing",
        prepare() {
          const [a, b] = matrices();
          const call = () => threeLoops(a, b, n);
          return { call, output: call };
        },
      },
      {
        name: "@qkv/tensor on js",
        kind: "ours",
        resident: "nothing",
        async prepare() {
          const { matmul, tensor } = await import("@qkv/tensor");
          const [a, b] = matrices();
          const place = (data) => tensor(data, { shape: [n, n] });
          const call = () => matmul(place(a), place(b)).data;
          return { call, output: call };
        },
      },
    ],
  };
});
