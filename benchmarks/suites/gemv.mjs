// A row times a matrix, as a decoder computes it for each token: bound by reading the weights.
import { numbers } from "../data.mjs";
import { jax } from "../peers/jax.mjs";
import { readLimit } from "../peers/limits.mjs";
import { graph } from "../peers/onnx.mjs";
import { onnxruntime } from "../peers/onnxruntime.mjs";
import { ours } from "../peers/ours.mjs";
import { tfjs } from "../peers/tfjs.mjs";

const n = 4096;
const bytes = 4 * n * n;
const row = () => numbers(1, n);
const weights = () => numbers(2, n * n, 0.05);

export const rows = (context) => [
  {
    id: `gemv/${n}`,
    unit: "GB/s",
    better: "high",
    work: bytes / 1e9,
    aim: 1.25,
    tolerance: 1e-3,
    expected: () => streamed(row(), weights()),
    contenders: [
      ...ours(
        context,
        async () => {
          const { matmul } = await import("@qkv/tensor");
          return { inputs: [[row(), [1, n]]], state: [[weights(), [n, n]]], compute: matmul };
        },
        { resident: ["all", "state"] },
      ),
      tfjs((tf) => {
        const [x, w] = [tf.tensor2d(row(), [1, n]), tf.tensor2d(weights(), [n, n])];
        return () => tf.matMul(x, w);
      }),
      onnxruntime("peer", onnx, { resident: "state" }),
      jax(({ numpy }) => ({
        compute: (x, w) => numpy.matmul(x, w),
        inputs: [numpy.array(row()).reshape([1, n]), numpy.array(weights()).reshape([n, n])],
      })),
      {
        name: "plain loops",
        kind: "peer",
        resident: "state",
        prepare() {
          const [x, w] = [row(), weights()];
          const call = () => streamed(x, w);
          return { call, output: call };
        },
      },
      onnxruntime("native", onnx, { resident: "state" }),
      readLimit(bytes, (rate) => rate / 1e9),
    ],
  },
];

/** Weights are a constant of the model, so that onnxruntime can prepack them. */
function onnx() {
  const g = graph();
  g.op("MatMul", [g.input("x", [1, n]), g.constant(weights(), [n, n])], {}, { to: [g.output("y", [1, n])] });
  return { model: g.bytes(), feeds: { x: ["float32", [1, n], row()] } };
}

function streamed(x, w) {
  const out = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    for (let j = 0; j < n; j++) out[j] += x[k] * w[k * n + j];
  }
  return out;
}
