// Products of square float32 matrices; and of int8 matrices, compared with our float product.
import { numbers } from "../data.mjs";
import { jax } from "../peers/jax.mjs";
import { arithmeticLimit } from "../peers/limits.mjs";
import { graph } from "../peers/onnx.mjs";
import { onnxruntime } from "../peers/onnxruntime.mjs";
import { ours } from "../peers/ours.mjs";
import { tfjs } from "../peers/tfjs.mjs";

export const rows = (context) => [
  ...[64, 128, 256, 512, 1024, 2048].map((n) => square(n, context)),
  whole([512, 768, 3072], context),
];

function square(n, context) {
  const left = () => numbers(1, n * n);
  const right = () => numbers(2, n * n);
  const shape = [n, n];
  // Some rows of the product are sufficient to check it, and fast to compute.
  const picked = [0, 1, (n >> 1) + 3, n - 1];
  const compared = (output) => picked.map((row) => [...output.subarray(row * n, (row + 1) * n)]).flat();
  return {
    id: `matmul/${n}`,
    unit: "GFLOP/s",
    better: "high",
    work: (2 * n ** 3) / 1e9,
    aim: context.threads > 1 ? 1.4 : n < 256 ? 1.2 : 1.3,
    tolerance: 1e-3,
    expected() {
      const some = Float32Array.from(compared(left()));
      return [...product(some, right(), picked.length, n)];
    },
    contenders: [
      ...ours(
        context,
        async () => {
          const { matmul } = await import("@qkv/tensor");
          return { inputs: [left(), right()].map((data) => [data, shape]), compute: matmul };
        },
        { compared, resident: ["all", "nothing"] },
      ),
      tfjs(
        (tf) => {
          const [a, b] = [left(), right()].map((data) => tf.tensor2d(data, shape));
          return () => tf.matMul(a, b);
        },
        { compared },
      ),
      onnxruntime("peer", onnx, { compared }),
      jax(
        ({ numpy }) => ({
          compute: (a, b) => numpy.matmul(a, b),
          inputs: [left(), right()].map((data) => numpy.array(data).reshape(shape)),
        }),
        { compared },
      ),
      {
        name: "plain loops",
        kind: "peer",
        resident: "nothing",
        prepare() {
          const [a, b] = [left(), right()];
          const call = () => product(a, b, n, n);
          return { call, output: () => compared(call()) };
        },
      },
      onnxruntime("native", onnx, { compared }),
      arithmeticLimit("mulAdd", (rate) => rate / 1e9),
      arithmeticLimit("fused", (rate) => rate / 1e9),
    ],
  };

  function onnx() {
    const g = graph();
    const [a, b] = [g.input("a", shape), g.input("b", shape)];
    g.op("MatMul", [a, b], {}, { to: [g.output("y", shape)] });
    return { model: g.bytes(), feeds: { a: ["float32", shape, left()], b: ["float32", shape, right()] } };
  }
}

/** m rows times the transpose of an n × n matrix by plain loops: the inner loop reads both along their rows. */
function product(a, b, m, n) {
  const out = new Float32Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let k = 0; k < n; k++) {
      const factor = a[i * n + k];
      for (let j = 0; j < n; j++) out[i * n + j] += factor * b[k * n + j];
    }
  }
  return out;
}

/**
 * Activations quantized row by row in each call, times 8-bit weights. No other library has it in JavaScript, so the rival is our
 * float product of the same quantized values: outputs are equal up to rounding in float32.
 */
function whole([M, N, K], context) {
  const activations = () => numbers(1, M * K);
  const weights = async () => {
    const [{ tensor }, { dequantizeWeight, quantizeWeight }] = await Promise.all([
      import("@qkv/tensor"),
      import("@qkv/tensor/quantized"),
    ]);
    const weight = quantizeWeight(tensor(numbers(2, N * K), { shape: [N, K] }));
    return { weight, floats: () => dequantizeWeight(weight, K) };
  };
  const picked = [0, 1, 257, M - 1];
  const compared = (output) => picked.map((row) => [...output.subarray(row * N, (row + 1) * N)]).flat();
  return {
    id: `matmul/int8-${M}x${N}x${K}`,
    unit: "Gop/s",
    better: "high",
    work: (2 * M * N * K) / 1e9,
    aim: 4,
    tolerance: 2e-2,
    async expected() {
      const [x, { floats }] = [rounded(activations(), K), await weights()];
      const weight = floats().data;
      return picked.flatMap((row) =>
        Array.from({ length: N }, (_, n) => {
          let sum = 0;
          for (let k = 0; k < K; k++) sum += x[row * K + k] * weight[n * K + k];
          return sum;
        }),
      );
    },
    contenders: [
      ...ours(
        context,
        async (device) => {
          const { weight } = await weights();
          const { quantizedLinear } = await import("@qkv/tensor/quantized");
          const moved = { data: weight.data.to(device), scale: weight.scale.to(device) };
          return {
            inputs: [[activations(), [M, K]]],
            compute: (x) => quantizedLinear(x, moved, undefined, { activations: "int8" }),
          };
        },
        { compared },
      ),
      ...ours(
        context,
        async (device) => {
          const { floats } = await weights();
          const { linear } = await import("@qkv/tensor");
          const weight = floats().to(device);
          return { inputs: [[rounded(activations(), K), [M, K]]], compute: (x) => linear(x, weight) };
        },
        { compared, variant: "float32", rival: true },
      ),
      arithmeticLimit("dot", (rate) => rate / 1e9),
    ],
  };
}

/** Quantizes each row to integers from -63 to 63 and dequantizes it. */
function rounded(x, width) {
  const out = new Float32Array(x.length);
  for (let from = 0; from < x.length; from += width) {
    const row = x.subarray(from, from + width);
    const step = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 63;
    row.forEach((value, k) => (out[from + k] = Math.round(value / step) * step));
  }
  return out;
}
