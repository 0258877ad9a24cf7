// GPU shaders: our device on gpu.js, and TensorFlow.js on its WebGL backend, in pages of one browser. A call ends when
// its result is read back. Only in a browser: --browser.
import { numbers } from "../data.mjs";
import { heads, plainAttention } from "../heads.mjs";
import { openDevice } from "../peers/ours.mjs";

const [numHeads, headDim] = [8, 64];
const seed = { left: 1, right: 2 };

export const rows = ({ browser }) =>
  browser
    ? [
        ...[256, 512, 1024].map(attention),
        ...[
          [512, 512],
          [2048, 512],
        ].map(softmax),
        ...[256, 512, 1024].map(matmul),
      ]
    : [];

/** One contender of ours, and one of tfjs. */
function contenders({ mine, theirs, compared }) {
  return [
    {
      name: "@qkv on gpu:webgl2",
      kind: "ours",
      resident: "inputs",
      async prepare() {
        const device = await openDevice("gpu:webgl2", 1);
        const compute = await mine(device);
        return {
          note: device.report().renderer,
          call: () => device.scope(compute).read(),
          output: async () => compared(await device.scope(compute).read()),
        };
      },
    },
    {
      name: "tfjs-webgl",
      kind: "peer",
      resident: "inputs",
      async prepare() {
        const loaded = await import("@tensorflow/tfjs");
        const tf = loaded.default ?? loaded;
        if (!(await tf.setBackend("webgl"))) throw new Error("tfjs: its WebGL backend did not start");
        await tf.ready();
        const { gl } = tf.backend().gpgpu;
        const names = gl.getExtension("WEBGL_debug_renderer_info");
        const compute = theirs(tf);
        const call = async () => {
          const result = compute();
          const data = await result.data();
          result.dispose();
          return data;
        };
        return {
          note: gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER),
          call,
          output: async () => compared(await call()),
        };
      },
    },
  ];
}

function attention(length) {
  const shape = { numHeads, numKvHeads: numHeads, headDim, queryLength: length, keyLength: length };
  const some = [0, 1, (length >> 1) + 3, length - 1];
  const compared = (output) =>
    Array.from({ length: numHeads }, (_, head) =>
      some.map((i) => [...output.subarray((head * length + i) * headDim, (head * length + i + 1) * headDim)]),
    ).flat(2);
  const sees = { first: () => 0, last: () => length - 1 };
  return {
    id: `gpu/attention-${length}`,
    unit: "ms",
    better: "low",
    aim: 1.5,
    tolerance: 1e-4,
    expected: () =>
      compared(
        plainAttention(shape, heads(shape), sees, new Float32Array(numHeads * length * headDim), some),
      ),
    contenders: contenders({
      compared,
      async mine(device) {
        const [{ attention }, { tensor }] = await Promise.all([
          import("@qkv/attention"),
          import("@qkv/tensor"),
        ]);
        const [query, key, value] = Object.values(heads(shape)).map((data) =>
          tensor(data, { shape: [1, numHeads, length, headDim] }).to(device),
        );
        return () => attention(query, key, value);
      },
      theirs(tf) {
        const [query, key, value] = Object.values(heads(shape)).map((data) =>
          tf.tensor3d(data, [numHeads, length, headDim]),
        );
        return () =>
          tf.tidy(() => {
            const scores = tf.matMul(query, key, false, true).mul(1 / Math.sqrt(headDim));
            return tf.matMul(tf.softmax(scores), value);
          });
      },
    }),
  };
}

function softmax([height, width]) {
  const data = () => numbers(seed.left, height * width, 8);
  const compared = (output) => [...output.subarray(0, 2 * width), ...output.subarray(-width)];
  return {
    id: `gpu/softmax-${height}x${width}`,
    unit: "ms",
    better: "low",
    aim: 2,
    tolerance: 1e-5,
    expected() {
      const x = data();
      const rows = Array.from({ length: height }, (_, row) => x.subarray(row * width, (row + 1) * width));
      const one = (row) => {
        const top = Math.max(...row);
        const powers = Array.from(row, (value) => Math.exp(value - top));
        const sum = powers.reduce((a, b) => a + b, 0);
        return powers.map((power) => power / sum);
      };
      return [rows[0], rows[1], rows.at(-1)].flatMap(one);
    },
    contenders: contenders({
      compared,
      async mine(device) {
        const { softmax, tensor } = await import("@qkv/tensor");
        const x = tensor(data(), { shape: [height, width] }).to(device);
        return () => softmax(x);
      },
      theirs(tf) {
        const x = tf.tensor2d(data(), [height, width]);
        return () => tf.softmax(x);
      },
    }),
  };
}

function matmul(n) {
  const left = () => numbers(seed.left, n * n);
  const right = () => numbers(seed.right, n * n);
  const picked = [0, 1, (n >> 1) + 3, n - 1];
  const compared = (output) => picked.flatMap((row) => [...output.subarray(row * n, (row + 1) * n)]);
  return {
    id: `gpu/matmul-${n}`,
    unit: "ms",
    better: "low",
    aim: n === 512 ? 0.4 : 0.67,
    tolerance: 1e-3,
    expected() {
      const [a, b] = [left(), right()];
      return picked.flatMap((row) => {
        const sums = new Float64Array(n);
        for (let k = 0; k < n; k++) {
          for (let j = 0; j < n; j++) sums[j] += a[row * n + k] * b[k * n + j];
        }
        return [...sums];
      });
    },
    contenders: contenders({
      compared,
      async mine(device) {
        const { matmul, tensor } = await import("@qkv/tensor");
        const [a, b] = [left(), right()].map((data) => tensor(data, { shape: [n, n] }).to(device));
        return () => matmul(a, b);
      },
      theirs(tf) {
        const [a, b] = [left(), right()].map((data) => tf.tensor2d(data, [n, n]));
        return () => tf.matMul(a, b);
      },
    }),
  };
}
