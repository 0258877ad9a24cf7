// Memory-bound operations, over [4096, 1024].
import { numbers } from "../data.mjs";
import { jax } from "../peers/jax.mjs";
import { copyLimit } from "../peers/limits.mjs";
import { graph } from "../peers/onnx.mjs";
import { onnxruntime } from "../peers/onnxruntime.mjs";
import { ours } from "../peers/ours.mjs";
import { tfjs } from "../peers/tfjs.mjs";

const shape = [4096, 1024];
const [height, width] = shape;
const x = () => numbers(1, height * width, 3);
const gain = () => numbers(2, width);
const offset = () => numbers(3, width);
const eps = 1e-5;
const root = Math.sqrt(2 / Math.PI);

// Each operation with our packages, TensorFlow.js, jax-js, ONNX and as a plain loop.
const operations = {
  softmax: {
    aim: 1.4,
    async ours() {
      const { softmax } = await import("@qkv/tensor");
      return { compute: (a) => softmax(a) };
    },
    tfjs: (tf) => (a) => tf.softmax(a),
    jax:
      ({ nn }) =>
      (a) =>
        nn.softmax(a, -1),
    onnx: (g, a, to) => g.op("Softmax", [a], { axis: -1 }, to),
    plain(a, out) {
      for (let from = 0; from < a.length; from += width) {
        let top = -Infinity;
        for (let i = from; i < from + width; i++) top = Math.max(top, a[i]);
        let sum = 0;
        for (let i = from; i < from + width; i++) sum += out[i] = Math.exp(a[i] - top);
        for (let i = from; i < from + width; i++) out[i] /= sum;
      }
    },
  },
  layernorm: {
    aim: 7,
    host: "state",
    async ours() {
      const { layerNorm } = await import("@qkv/tensor");
      return {
        state: [gain(), offset()].map((data) => [data, [width]]),
        compute: (a, weight, bias) => layerNorm(a, weight, bias, { eps }),
      };
    },
    tfjs(tf) {
      const [weight, bias] = [gain(), offset()].map((data) => tf.tensor1d(data));
      return (a) => {
        const centred = tf.sub(a, tf.mean(a, -1, true));
        const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), eps));
        return tf.add(tf.mul(tf.mul(centred, scale), weight), bias);
      };
    },
    jax: ({ nn, numpy }) => [
      (a, weight, bias) => nn.standardize(a, -1).mul(weight).add(bias),
      ...[gain(), offset()].map((data) => numpy.array(data)),
    ],
    onnx(g, a, to) {
      const [weight, bias] = [gain(), offset()].map((data) => g.constant(data, [width]));
      g.op("LayerNormalization", [a, weight, bias], { axis: -1, epsilon: { float: eps } }, to);
    },
    plain(a, out) {
      const [weight, bias] = [gain(), offset()];
      for (let from = 0; from < a.length; from += width) {
        let mean = 0;
        for (let i = from; i < from + width; i++) mean += a[i];
        mean /= width;
        let variance = 0;
        for (let i = from; i < from + width; i++) variance += (a[i] - mean) ** 2;
        const scale = 1 / Math.sqrt(variance / width + eps);
        for (let i = 0; i < width; i++) out[from + i] = (a[from + i] - mean) * scale * weight[i] + bias[i];
      }
    },
  },
  gelu: {
    aim: 4,
    async ours() {
      const { gelu } = await import("@qkv/tensor");
      return { compute: (a) => gelu(a, { approximate: "tanh" }) };
    },
    tfjs: (tf) => (a) => {
      const inner = tf.mul(tf.add(a, tf.mul(tf.mul(tf.mul(a, a), a), 0.044715)), root);
      return tf.mul(tf.mul(a, 0.5), tf.add(tf.tanh(inner), 1));
    },
    jax:
      ({ nn }) =>
      (a) =>
        nn.gelu(a, { approximate: true }),
    onnx: (g, a, to) => g.op("Gelu", [a], { approximate: "tanh" }, to),
    plain(a, out) {
      for (let i = 0; i < a.length; i++) {
        const t = a[i];
        out[i] = 0.5 * t * (1 + Math.tanh(root * (t + 0.044715 * t * t * t)));
      }
    },
  },
};

// Every element of some rows, and some of every row.
const compared = (output) => output.filter((_, i) => i < 4 * width || i % 509 === 0);

export const rows = (context) =>
  Object.entries(operations).map(([name, operation]) => {
    const onnx = () => {
      const g = graph();
      operation.onnx(g, g.input("x", shape), { to: [g.output("y", shape)] });
      return { model: g.bytes(), feeds: { x: ["float32", shape, x()] } };
    };
    const plain = () => {
      const [a, out] = [x(), new Float32Array(height * width)];
      return () => (operation.plain(a, out), out);
    };
    // Inputs and outputs are arrays; norm weights are resident.
    const { host = "nothing" } = operation;
    const mine = async () => ({ inputs: [[x(), shape]], ...(await operation.ours()) });
    return {
      id: `elementwise/${name}`,
      unit: "ms",
      better: "low",
      aim: operation.aim,
      tolerance: 1e-4,
      expected: () => compared(plain()()),
      contenders: [
        ...ours(context, mine, { compared, resident: ["all", host] }),
        tfjs(
          (tf) => {
            const compute = operation.tfjs(tf);
            const a = tf.tensor2d(x(), shape);
            return () => tf.tidy(() => compute(a));
          },
          { compared },
        ),
        onnxruntime("peer", onnx, { compared, resident: host }),
        jax(
          (library) => {
            const [compute, ...more] = [operation.jax(library)].flat();
            return { compute, inputs: [library.numpy.array(x()).reshape(shape), ...more] };
          },
          { compared },
        ),
        {
          name: "plain loops",
          kind: "peer",
          resident: host,
          prepare() {
            const call = plain();
            return { call, output: () => compared(call()) };
          },
        },
        onnxruntime("native", onnx, { compared, resident: host }),
        copyLimit(4 * height * width, (rate) => ((2 * 4 * height * width) / rate) * 1000),
      ],
    };
  });
