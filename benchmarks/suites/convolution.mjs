// Convolutions: those of audio and image models forward, with resident weights, and one with both gradients.
import { numbers } from "../data.mjs";
import { openJax } from "../peers/jax.mjs";
import { arithmeticLimit } from "../peers/limits.mjs";
import { graph } from "../peers/onnx.mjs";
import { onnxruntime } from "../peers/onnxruntime.mjs";
import { openDevice, ours } from "../peers/ours.mjs";
import { tfjs } from "../peers/tfjs.mjs";

/** B images of C channels to O channels, with a kernel of size `kernel`. */
const shapes = {
  // The first two layers of Whisper tiny, over 30 seconds.
  "whisper-1": { B: 1, C: 80, O: 384, size: [3000], kernel: [3], stride: 1, padding: 1 },
  "whisper-2": { B: 1, C: 384, O: 384, size: [3000], kernel: [3], stride: 2, padding: 1 },
  // The patch embedding of ViT-B/16.
  patches: { B: 1, C: 3, O: 768, size: [224, 224], kernel: [16, 16], stride: 16, padding: 0 },
  "3x3": { B: 4, C: 64, O: 64, size: [56, 56], kernel: [3, 3], stride: 1, padding: 1 },
  depthwise: { B: 1, C: 256, O: 256, size: [56, 56], kernel: [3, 3], stride: 1, padding: 1, groups: 256 },
};

const product = (list) => list.reduce((a, b) => a * b, 1);

/** Lengths, data and FLOPs of a shape. */
function describe({ B, C, O, size, kernel, stride, padding, groups = 1 }) {
  const outputs = size.map((length, i) => Math.floor((length + 2 * padding - kernel[i]) / stride) + 1);
  const [input, weight, output] = [
    [B, C, ...size],
    [O, C / groups, ...kernel],
    [B, O, ...outputs],
  ];
  return {
    ...{ B, C, O, size, kernel, outputs, groups, input, weight, output },
    options: { stride, padding, groups },
    x: () => numbers(1, product(input)),
    w: () => numbers(2, product(weight)).map((value) => value / Math.sqrt(product(weight.slice(1)))),
    flops: 2 * product(output) * product(weight.slice(1)),
  };
}

/** Transposes channels-last data, TensorFlow.js's layout, to channels-first, and back. */
function moved(data, [outer, rows, columns]) {
  const out = new Float32Array(data.length);
  for (let b = 0; b < outer; b++)
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++)
        out[(b * columns + c) * rows + r] = data[(b * rows + r) * columns + c];
  return out;
}
const channelsLast = (data, [B, C, ...size]) => moved(data, [B, C, product(size)]);
const channelsFirst = (data, [B, C, ...size]) => moved(data, [B, product(size), C]);

const compared = (output) => output.filter((_, i) => i % 37 === 0);

const open = async () => {
  const { conv1d, conv2d } = await import("@qkv/tensor/convolutions");
  return { 1: conv1d, 2: conv2d };
};

const limits = (flops) => [
  arithmeticLimit("mulAdd", (rate) => (flops / rate) * 1000),
  arithmeticLimit("fused", (rate) => (flops / rate) * 1000),
];

export const rows = (context) => [
  ...Object.entries(shapes).map(([name, shape]) => forward(name, shape, context)),
  gradients("3x3-gradients", shapes["3x3"], context),
];

function forward(name, shape, context) {
  const given = describe(shape);
  const { input, weight, output, size, options, groups, C } = given;
  const { x, w, flops } = given;
  const onnx = () => {
    const g = graph();
    const from = g.input("x", input);
    const { stride, padding } = options;
    const attributes = {
      ...{ kernel_shape: given.kernel, strides: size.map(() => stride), group: groups },
      pads: [...size, ...size].map(() => padding),
    };
    g.op("Conv", [from, g.constant(w(), weight)], attributes, { to: [g.output("y", output)] });
    return { model: g.bytes(), feeds: { x: ["float32", input, x()] } };
  };
  const mine = async () => {
    const convolve = (await open())[size.length];
    return {
      inputs: [[x(), input]],
      state: [[w(), weight]],
      compute: (a, b) => convolve(a, b, options),
    };
  };
  return {
    id: `convolution/${name}`,
    unit: "ms",
    better: "low",
    aim: 1,
    tolerance: 1e-3,
    contenders: [
      onnxruntime("peer", onnx, { compared, resident: "state" }),
      ...ours(context, mine, { compared, resident: ["all", "state"] }),
      ...(groups > 1 && groups < C
        ? []
        : [
            tfjs((tf) => tfjsConvolution(tf, given), {
              compared: (data) => compared(channelsFirst(data, output)),
            }),
          ]),
      onnxruntime("native", onnx, { compared, resident: "state" }),
      ...limits(flops),
    ],
  };
}

/** TensorFlow.js's inputs and outputs are channels-last. */
function tfjsConvolution(tf, { input, weight, kernel, options, groups, x, w }) {
  const [B, C, ...size] = input;
  const [O, own] = weight;
  // 1-D convolution as a 2-D one with one row: its conv1d has no numeric padding.
  const image = size.length === 1 ? [1, ...size] : size;
  const window = kernel.length === 1 ? [1, ...kernel] : kernel;
  const a = tf.tensor(channelsLast(x(), input), [B, ...image, C]);
  const { stride, padding } = options;
  const zeros = image.map((length) => (length === 1 ? [0, 0] : [padding, padding]));
  const pad = [[0, 0], ...zeros, [0, 0]];
  const taps = tf.transpose(tf.tensor(w(), [O, own, product(kernel)]), [2, 1, 0]);
  if (groups > 1) {
    const filter = tf.reshape(tf.transpose(taps, [0, 2, 1]), [...window, O, 1]);
    return () => tf.depthwiseConv2d(a, filter, stride, pad);
  }
  const filter = tf.reshape(taps, [...window, own, O]);
  return () => tf.conv2d(a, filter, stride, pad);
}

/** The convolution, and the gradients of its input and of its weight. */
function gradients(name, shape, context) {
  const { input, weight, options, x, w, flops } = describe(shape);
  const differentiated = (spec) => ({
    name: `@qkv on ${spec}`,
    kind: "ours",
    resident: "all",
    async prepare({ threads }) {
      const [device, { grad, mean, square, tensor }, { 2: conv2d }] = await Promise.all([
        openDevice(spec, threads),
        import("@qkv/tensor"),
        open(),
      ]);
      const params = [tensor(x(), { shape: input }).to(device), tensor(w(), { shape: weight }).to(device)];
      const slopes = grad(([a, b]) => mean(square(conv2d(a, b, options))));
      return {
        threads: device.report().threads ?? 1,
        call: () => device.scope(() => void slopes(params)),
        output: () => {
          const all = device.scope(() => slopes(params));
          return all.flatMap(({ data }) => [...compared(data)].map((value) => value * 1e4));
        },
      };
    },
  });
  const jax = {
    name: "jax-js",
    kind: "peer",
    resident: "all",
    async prepare() {
      const { grad, jit, lax, numpy: np } = await openJax();
      const [a, b] = [np.array(x()).reshape(input), np.array(w()).reshape(weight)];
      const { padding, stride } = options;
      const pads = [padding, padding];
      const both = jit((a, b) => {
        const loss = ({ a, b }) =>
          np.mean(np.square(lax.convGeneralDilated(a, b, [stride, stride], [pads, pads])));
        return grad(loss)({ a, b });
      });
      const call = async () => {
        const slopes = both(a.ref, b.ref);
        const data = [await slopes.a.data(), await slopes.b.data()];
        return data;
      };
      return {
        call,
        output: async () => (await call()).flatMap((data) => [...compared(data)].map((value) => value * 1e4)),
      };
    },
  };
  return {
    id: `convolution/${name}`,
    unit: "ms",
    better: "low",
    aim: 2,
    tolerance: 1e-2,
    contenders: [jax, ...context.devices.map(differentiated), ...limits(3 * flops)],
  };
}
