// Losses with their gradients: of 2048 tokens over a vocabulary of 5000, and of regression over [2048, 1024].
import { numbers } from "../data.mjs";
import { openJax } from "../peers/jax.mjs";
import { copyLimit, readLimit } from "../peers/limits.mjs";
import { openDevice } from "../peers/ours.mjs";
import { openTfjs } from "../peers/tfjs.mjs";

const [N, V] = [2048, 5000];
const [height, width] = [2048, 1024];
const logits = () => numbers(1, N * V, 4);
const targets = () => Int32Array.from({ length: N }, (_, i) => (i * 31) % V);
const prediction = () => numbers(2, height * width);
const wanted = () => numbers(3, height * width);

/** Factor for the comparison, since gradients are small. */
const compared = (data, factor) => data.filter((_, i) => i % 509 === 0).map((value) => value * factor);

/**
 * A loss `(tensors, libraries) => scalar` with our packages, jax-js and TensorFlow.js; the gradient is with respect to
 * `x`.
 */
const losses = {
  "cross-entropy": {
    shape: [N, V],
    x: logits,
    aim: 4,
    ours: async ({ put }) => {
      const { crossEntropy } = await import("@qkv/tensor");
      const y = put(targets(), [N], "int32");
      return (x) => crossEntropy(x, y);
    },
    jax: ({ nn, numpy: np }) => {
      const y = nn.oneHot(np.array(targets()), V);
      return (x) => nn.logSoftmax(x, -1).mul(y.ref).sum(-1).mean().neg();
    },
    tfjs: (tf) => {
      const y = tf.oneHot(tf.tensor1d(targets(), "int32"), V).toFloat();
      return (x) => tf.losses.softmaxCrossEntropy(y, x);
    },
    // Logits are read once, and gradients written.
    limit: (bytes) => copyLimit(bytes, (rate) => ((2 * bytes) / rate) * 1000),
  },
  mse: {
    shape: [height, width],
    x: prediction,
    aim: 1,
    ours: async ({ put }) => {
      const { mseLoss } = await import("@qkv/tensor/losses");
      const y = put(wanted(), [height, width]);
      return (x) => mseLoss(x, y);
    },
    jax: ({ numpy: np }) => {
      const y = np.array(wanted()).reshape([height, width]);
      return (x) => np.square(x.sub(y.ref)).mean();
    },
    tfjs: (tf) => {
      const y = tf.tensor2d(wanted(), [height, width]);
      return (x) => tf.losses.meanSquaredError(y, x);
    },
    // Two tensors are read, and one written.
    limit: (bytes) => readLimit(3 * bytes, (rate) => ((3 * bytes) / rate) * 1000),
  },
  huber: {
    shape: [height, width],
    x: prediction,
    aim: 1,
    ours: async ({ put }) => {
      const { huberLoss } = await import("@qkv/tensor/losses");
      const y = put(wanted(), [height, width]);
      return (x) => huberLoss(x, y, { delta: 0.5 });
    },
    jax: ({ numpy: np }) => {
      const y = np.array(wanted()).reshape([height, width]);
      return (x) => {
        const error = np.abs(x.sub(y.ref));
        const clipped = np.minimum(error.ref, 0.5);
        return clipped.ref.mul(error.sub(clipped.mul(0.5))).mean();
      };
    },
    tfjs: (tf) => {
      const y = tf.tensor2d(wanted(), [height, width]);
      return (x) => tf.losses.huberLoss(y, x, undefined, 0.5);
    },
    limit: (bytes) => readLimit(3 * bytes, (rate) => ((3 * bytes) / rate) * 1000),
  },
};

export const rows = ({ devices }) => Object.entries(losses).map(([name, loss]) => row(name, loss, devices));

function row(name, { shape, x, aim, limit, ...by }, devices) {
  const size = shape[0] * shape[1];
  const contender = (name, kind, prepare) => ({ name, kind, resident: "all", prepare });
  return {
    id: `losses/${name}`,
    unit: "ms",
    better: "low",
    aim,
    tolerance: 1e-3,
    // All are compared by the gradient. The first contender, the reference, is not ours.
    contenders: [
      contender("jax-js", "peer", async () => {
        const library = await openJax();
        const slope = library.jit(library.grad(by.jax(library)));
        const input = library.numpy.array(x()).reshape(shape);
        return {
          async call() {
            const result = slope(input.ref);
            await result.blockUntilReady();
            result.dispose();
          },
          output: async () => compared(await slope(input.ref).data(), size),
        };
      }),
      ...devices.map((spec) =>
        contender(`@qkv on ${spec}`, "ours", async ({ threads }) => {
          const [device, { grad, tensor }] = await Promise.all([
            openDevice(spec, threads),
            import("@qkv/tensor"),
          ]);
          const put = (data, lengths, dtype = "float32") =>
            tensor(data, { shape: lengths, dtype }).to(device);
          const slope = grad(await by.ours({ put }));
          const input = put(x(), shape);
          return {
            threads: device.report().threads ?? 1,
            call: () => device.scope(() => void slope(input)),
            output: () => compared(device.scope(() => slope(input)).data, size),
          };
        }),
      ),
      contender("tfjs-wasm", "peer", async (context) => {
        const tf = await openTfjs(context);
        const slope = tf.grad(by.tfjs(tf));
        const input = tf.tensor2d(x(), shape);
        return {
          threads: context.browser ? context.threads : 1,
          call: () => tf.dispose(tf.tidy(() => slope(input))),
          output() {
            const result = tf.tidy(() => slope(input));
            const data = result.dataSync().slice();
            result.dispose();
            return compared(data, size);
          },
        };
      }),
      limit(4 * size),
    ],
  };
}
