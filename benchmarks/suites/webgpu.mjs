// WebGPU in Node, with Dawn and its default adapter: ours, jax-js and ONNX Runtime Web. Each line has the adapter's
// name. On a software renderer sizes are small and the figures mean nothing; with --full, models of full size run there
// too, for minutes. Not in a browser.
import { numbers } from "../data.mjs";
import { heads, plainAttention, swapAxes } from "../heads.mjs";
import { composed, multiHead } from "../peers/attention-models.mjs";
import { graph } from "../peers/onnx.mjs";
import { jax, onnxruntime, openAdapter, ours } from "../peers/webgpu.mjs";

const [numHeads, headDim] = [12, 64];
const adapter = await openAdapter();
const small = adapter?.software;
/** Computations in one call. */
const batch = small ? 2 : 20;

export const rows = ({ browser, full }) =>
  browser || !adapter
    ? []
    : [
        matmul(small ? 128 : 2048),
        matvec(small ? 512 : 4096),
        attention("causal", small ? 128 : 2048, { causal: true }),
        attention("full", small ? 128 : 2048, {}),
        attention("window256", small ? 512 : 8192, { causal: true, window: small ? 64 : 256 }),
        backward(small ? 128 : 2048),
        decode(small ? 512 : 8192),
        ...[...(small ? smallModels : []), ...(small && !full ? [] : fullModels)].map(token),
      ];

function matmul(n) {
  const [left, right] = [() => numbers(1, n * n), () => numbers(2, n * n)];
  const picked = [0, 1, (n >> 1) + 3, n - 1];
  const compared = (output) => picked.flatMap((row) => [...output.subarray(row * n, (row + 1) * n)]);
  return {
    id: `webgpu/matmul-${n}`,
    unit: "GFLOP/s",
    better: "high",
    work: (batch * 2 * n ** 3) / 1e9,
    tolerance: 1e-3,
    expected: () =>
      picked.flatMap((row) => [...rowTimes(left().subarray(row * n, (row + 1) * n), right(), n)]),
    contenders: [
      ours(
        async (device) => {
          const { matmul, tensor } = await import("@qkv/tensor");
          const [a, b] = [left(), right()].map((data) => tensor(data, { shape: [n, n] }).to(device));
          return () => matmul(a, b);
        },
        { batch, compared },
      ),
      jax(
        ({ numpy }) => ({
          compute: (a, b) => numpy.matmul(a, b),
          inputs: [left(), right()].map((data) => numpy.array(data).reshape([n, n])),
        }),
        { batch, compared },
      ),
      onnxruntime(() => product(n, n, left(), right()), { batch, compared }),
    ],
  };
}

function matvec(n) {
  const [row, weights] = [() => numbers(1, n), () => numbers(2, n * n, 0.05)];
  const compared = (output) => [...output];
  return {
    id: `webgpu/matvec-${n}`,
    unit: "GB/s",
    better: "high",
    work: (batch * 4 * n * n) / 1e9,
    tolerance: 1e-3,
    expected: () => [...rowTimes(row(), weights(), n)],
    contenders: [
      ours(
        async (device) => {
          const { matmul, tensor } = await import("@qkv/tensor");
          const x = tensor(row(), { shape: [1, n] }).to(device);
          const w = tensor(weights(), { shape: [n, n] }).to(device);
          return () => matmul(x, w);
        },
        { batch, compared },
      ),
      jax(
        ({ numpy }) => ({
          compute: (x, w) => numpy.matmul(x, w),
          inputs: [numpy.array(row()).reshape([1, n]), numpy.array(weights()).reshape([n, n])],
        }),
        { batch, compared },
      ),
      onnxruntime(() => product(1, n, row(), weights()), { batch, compared }),
    ],
  };
}

/** A model of one product `[M, n] · [n, n]` of two inputs. */
function product(M, n, a, b) {
  const model = graph();
  const operands = [model.input("a", [M, n]), model.input("b", [n, n])];
  model.op("MatMul", operands, {}, { to: ["c"] });
  model.output("c", [M, n]);
  return { model: model.bytes(), feeds: { a: ["float32", [M, n], a], b: ["float32", [n, n], b] } };
}

function rowTimes(row, matrix, n) {
  const sums = new Float64Array(n);
  for (let k = 0; k < n; k++) for (let j = 0; j < n; j++) sums[j] += row[k] * matrix[k * n + j];
  return sums;
}

/** Whole sequences: FLOPs count the pairs that the mask allows. */
function attention(name, length, { causal = false, window }) {
  const shape = { numHeads, numKvHeads: numHeads, headDim, queryLength: length, keyLength: length };
  const sees = {
    first: (at) => Math.max(0, at - (window ?? length) + 1),
    last: (at) => (causal ? at : length - 1),
  };
  let pairs = 0;
  for (let at = 0; at < length; at++) pairs += sees.last(at) - sees.first(at) + 1;
  const some = [0, 1, (length >> 1) + 3, length - 1];
  const compared = (output) =>
    Array.from({ length: numHeads }, (_, head) =>
      some.map((i) => [...output.subarray((head * length + i) * headDim, (head * length + i + 1) * headDim)]),
    ).flat(2);
  const backToHeads = (output) => compared(swapAxes(output, length, numHeads, headDim));
  return {
    id: `webgpu/attention-${name}-${length}`,
    unit: "GFLOP/s",
    better: "high",
    work: (batch * 4 * numHeads * headDim * pairs) / 1e9,
    tolerance: 1e-4,
    expected: () =>
      compared(
        plainAttention(shape, heads(shape), sees, new Float32Array(numHeads * length * headDim), some),
      ),
    contenders: [
      ours(
        async (device) => {
          const [masks, { tensor }] = await Promise.all([import("@qkv/attention"), import("@qkv/tensor")]);
          const mask = window ? masks.slidingWindow(window) : causal ? masks.causal() : undefined;
          const [query, key, value] = Object.values(heads(shape)).map((data) =>
            tensor(data, { shape: [1, numHeads, length, headDim] }).to(device),
          );
          return () => masks.attention(query, key, value, mask && { mask });
        },
        { batch, compared },
      ),
      ...(window
        ? []
        : [
            jax(
              ({ numpy, nn }) => ({
                compute: (query, key, value) =>
                  nn.dotProductAttention(query, key, value, { isCausal: causal }),
                inputs: Object.values(heads(shape)).map((data) =>
                  numpy
                    .array(swapAxes(data, numHeads, length, headDim))
                    .reshape([1, length, numHeads, headDim]),
                ),
              }),
              { batch, compared: backToHeads },
            ),
            onnxruntime(() => composed(shape, heads(shape), { causal }), { batch, compared }),
            ...(causal
              ? []
              : [
                  onnxruntime(() => multiHead(shape, heads(shape), {}), {
                    variant: "MultiHeadAttention",
                    batch,
                    compared: backToHeads,
                  }),
                ]),
          ]),
    ],
  };
}

/** The gradient of the sum of squares of causal attention with respect to the query; keys and values are constants. */
function backward(length) {
  const shape = { numHeads, numKvHeads: numHeads, headDim, queryLength: length, keyLength: length };
  const pairs = (length * (length + 1)) / 2;
  const some = [1, (length >> 1) + 3, length - 1];
  const compared = (output) =>
    [0, numHeads - 1].flatMap((head) =>
      some.flatMap((i) => [
        ...output.subarray((head * length + i) * headDim, (head * length + i + 1) * headDim),
      ]),
    );
  return {
    id: `webgpu/attention-backward-causal-${length}`,
    unit: "GFLOP/s",
    better: "high",
    // Two products forward, three backward.
    work: (batch * 10 * numHeads * headDim * pairs) / 1e9,
    tolerance: 1e-3,
    expected: async () => {
      const { attention, causal } = await import("@qkv/attention");
      const { grad, mul, sum, tensor } = await import("@qkv/tensor");
      const inputs = Object.values(heads(shape)).map((data) =>
        tensor(data, { shape: [1, numHeads, length, headDim] }),
      );
      const loss = (query) => {
        const y = attention(query, inputs[1], inputs[2], { mask: causal() });
        return sum(mul(y, y));
      };
      return compared(grad(loss)(inputs[0]).data);
    },
    contenders: [
      ours(
        async (device) => {
          const [{ attention, causal }, { grad, mul, sum, tensor }] = await Promise.all([
            import("@qkv/attention"),
            import("@qkv/tensor"),
          ]);
          const inputs = Object.values(heads(shape)).map((data) =>
            tensor(data, { shape: [1, numHeads, length, headDim] }).to(device),
          );
          const gradient = grad((query) => {
            const y = attention(query, inputs[1], inputs[2], { mask: causal() });
            return sum(mul(y, y));
          });
          return () => gradient(inputs[0]);
        },
        { batch, compared },
      ),
      jax(
        ({ grad, nn, numpy }) => ({
          compute: grad((query, key, value) => {
            const y = nn.dotProductAttention(query, key, value, { isCausal: true });
            return numpy.sum(numpy.square(y));
          }),
          inputs: Object.values(heads(shape)).map((data) =>
            numpy.array(swapAxes(data, numHeads, length, headDim)).reshape([1, length, numHeads, headDim]),
          ),
        }),
        { batch, compared: (output) => compared(swapAxes(output, length, numHeads, headDim)) },
      ),
    ],
  };
}

/** One query with a cache of keys: bound by reading them. */
function decode(length) {
  const shape = { numHeads, numKvHeads: numHeads, headDim, queryLength: 1, keyLength: length };
  const sees = { first: () => 0, last: () => length - 1 };
  const compared = (output) => [...output];
  return {
    id: `webgpu/decode-${length}`,
    unit: "GB/s",
    better: "high",
    work: (batch * 8 * numHeads * headDim * length) / 1e9,
    tolerance: 1e-4,
    expected: () =>
      compared(plainAttention(shape, heads(shape), sees, new Float32Array(numHeads * headDim), [0])),
    contenders: [
      ours(
        async (device) => {
          const [{ attention }, { tensor }] = await Promise.all([
            import("@qkv/attention"),
            import("@qkv/tensor"),
          ]);
          const [query, key, value] = Object.values(heads(shape)).map((data, i) =>
            tensor(data, { shape: [1, numHeads, i === 0 ? 1 : length, headDim] }).to(device),
          );
          return () => attention(query, key, value);
        },
        { batch, compared },
      ),
      jax(
        ({ numpy, nn }) => ({
          compute: (query, key, value) => nn.dotProductAttention(query, key, value),
          inputs: Object.values(heads(shape)).map((data, i) => {
            const count = i === 0 ? 1 : length;
            return numpy
              .array(swapAxes(data, numHeads, count, headDim))
              .reshape([1, count, numHeads, headDim]);
          }),
        }),
        { batch, compared },
      ),
      onnxruntime(() => composed(shape, heads(shape), {}), { batch, compared }),
    ],
  };
}

/** GPT-2's layers, with a vocabulary that fits the adapter. */
const gpt2 = ({ numLayers, embedDim, vocabSize }) => ({
  id: `gpt2-${numLayers}x${embedDim}`,
  config: {
    ...{ vocabSize, embedDim, hiddenDim: 4 * embedDim, numLayers, contextLength: 1024 },
    ...{ numHeads, numKvHeads: numHeads, normEps: 1e-5, stopIds: [] },
    ...{ norm: "layer", activation: "geluTanh", gated: false, positions: "learned" },
    bias: { queryKeyValue: true, attentionOutput: true, feedForward: true },
  },
});

/** A Llama's layers, with fewer key-value heads than query heads and a gated MLP with int4 matrices. */
const llama = ({ numLayers, embedDim, hiddenDim, numHeads, vocabSize }) => ({
  id: `llama-${numLayers}x${embedDim}-int4`,
  kind: "int4",
  config: {
    ...{ vocabSize, embedDim, hiddenDim, numLayers, contextLength: 1024 },
    ...{ numHeads, numKvHeads: 2, normEps: 1e-6, ropeBase: 1e6, stopIds: [] },
  },
});

/** Small sizes, and those of GPT-2 and of a Llama with half a billion parameters, such as Qwen2.5-0.5B. */
const smallModels = [
  gpt2({ numLayers: 2, embedDim: 96, vocabSize: 512 }),
  llama({ numLayers: 2, embedDim: 128, hiddenDim: 352, numHeads: 4, vocabSize: 512 }),
];
const fullModels = [
  gpt2({ numLayers: 12, embedDim: 768, vocabSize: 50257 }),
  llama({ numLayers: 24, embedDim: 896, hiddenDim: 4864, numHeads: 14, vocabSize: 151936 }),
];

/** Token-by-token decoding with random weights: only ours, with its counters. */
function token({ id, kind, config }) {
  return {
    id: `webgpu/${id}`,
    unit: "tokens/s",
    better: "high",
    contenders: [
      {
        name: "@qkv on webgpu",
        kind: "ours",
        resident: "all",
        async prepare() {
          const { webgpu } = await import("@qkv/webgpu");
          const { generate } = await import("@qkv/transformer");
          const device = await webgpu();
          const model = await modelOn(device, config, kind);
          const tokens = small ? 8 : 64;
          const write = async () => {
            const before = device.report().counts;
            let rate = 0;
            const onFinish = ({ timings }) => (rate = timings.tokensPerSecond);
            for await (const _ of generate(model, [1, 2, 3, 4, 5], { maxTokens: tokens, onFinish }));
            const { dispatches, submissions } = device.report().counts;
            return {
              rate,
              dispatches: (dispatches - before.dispatches) / tokens,
              submissions: (submissions - before.submissions) / tokens,
            };
          };
          const { dispatches, submissions } = await write();
          const counts = `${dispatches.toFixed(1)} dispatches and ${submissions.toFixed(1)} submissions a token`;
          return { note: `${adapter.note}; ${counts}`, measure: async () => (await write()).rate };
        },
      },
    ],
  };
}

/** A decoder on the device. Its layers have equal weights in separate buffers, which are read as in a real model. */
async function modelOn(device, config, kind) {
  const { mapTensors } = await import("@qkv/tensor");
  const { anyLinear, decoder, quantize } = await import("@qkv/transformer");
  const oneLayer = decoder({ ...config, numLayers: 1 });
  const made = {
    config: oneLayer.config,
    params: oneLayer.init(1),
    apply: oneLayer.apply,
    tokenizer: undefined,
  };
  const { params } = kind ? quantize(made, { kind }).model : made;
  const moved = (tree) => mapTensors(tree, (x) => x.to(device));
  const layers = Array.from({ length: config.numLayers }, () => moved(params.layers[0]));
  const whole = decoder(config, kind ? { linear: anyLinear() } : undefined);
  return {
    config: whole.config,
    params: { ...moved({ ...params, layers: [] }), layers },
    apply: whole.apply,
    tokenizer: undefined,
  };
}
