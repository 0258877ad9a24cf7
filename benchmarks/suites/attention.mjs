// Attention over a whole sequence: 12 heads of size 64, float32. Except for one operator of onnxruntime, all peers
// compute the T × S map; those without enough memory for it are listed as failed.
import { heads, plainAttention, swapAxes } from "../heads.mjs";
import { composed, groupQuery, multiHead, standard } from "../peers/attention-models.mjs";
import { jax } from "../peers/jax.mjs";
import { arithmeticLimit } from "../peers/limits.mjs";
import { onnxruntime } from "../peers/onnxruntime.mjs";
import { ours } from "../peers/ours.mjs";
import { tfjs } from "../peers/tfjs.mjs";

const [numHeads, headDim] = [12, 64];

export const rows = (context) => [
  row(context, "causal-1024", { length: 1024, causal: true, aim: 3.5 }),
  row(context, "full-4096", { length: 4096, aim: 1.9 }),
  row(context, "causal-4096", { length: 4096, causal: true, aim: 3.6 }),
  row(context, "window256-16384", { length: 16384, causal: true, window: 256, aim: 20 }),
  row(context, "gqa4-causal-1024", { length: 1024, causal: true, numKvHeads: 4, aim: 3.5 }),
];

function row(context, name, { length, causal = false, window, numKvHeads = numHeads, aim }) {
  const shape = { numHeads, numKvHeads, headDim, queryLength: length, keyLength: length };
  const sees = {
    first: (at) => Math.max(0, at - (window ?? length) + 1),
    last: (at) => (causal ? at : length - 1),
  };
  const all = Array.from({ length }, (_, i) => i);
  const pairs = all.reduce((sum, at) => sum + sees.last(at) - sees.first(at) + 1, 0);
  const flops = 4 * numHeads * headDim * pairs;
  // Some queries of each head are sufficient to check an output.
  const some = [0, 1, (length >> 1) + 3, length - 2, length - 1];
  const empty = () => new Float32Array(numHeads * length * headDim);
  const compared = (output) =>
    Array.from({ length: numHeads }, (_, head) =>
      some.map((i) => [...output.subarray((head * length + i) * headDim, (head * length + i + 1) * headDim)]),
    ).flat(2);
  const backToHeads = (output) => compared(swapAxes(output, length, numHeads, headDim));

  const mine = (maskOf) => async () => {
    const { attention, ...masks } = await import("@qkv/attention");
    const mask = maskOf(masks);
    return {
      inputs: Object.values(heads(shape)).map((data, i) => [
        data,
        [1, i === 0 ? numHeads : numKvHeads, length, headDim],
      ]),
      compute: (query, key, value) => attention(query, key, value, mask && { mask }),
    };
  };
  const ort = (variant, build, options) => {
    const model = () => build(shape, heads(shape), { causal, window });
    return onnxruntime("peer", model, { variant, ...options });
  };
  const native = (variant, build, options) => {
    const model = () => build(shape, heads(shape), { causal, window });
    return onnxruntime("native", model, { variant, ...options });
  };

  return {
    id: `attention/${name}`,
    unit: "ms",
    better: "low",
    aim,
    tolerance: 1e-4,
    expected: () => compared(plainAttention(shape, heads(shape), sees, empty(), some)),
    contenders: [
      ...ours(
        context,
        mine(({ causal: causalMask, slidingWindow }) =>
          window ? slidingWindow(window) : causal ? causalMask() : undefined,
        ),
        { compared, resident: ["all", "nothing"] },
      ),
      ...(window
        ? ours(
            context,
            mine(({ causal: causalMask }) => causalMask()),
            { variant: "without the window", rival: true, compared: () => undefined },
          )
        : []),
      ort("composed", window ? withoutMask : composed, { compared }),
      ...(window ? [] : [ort("Attention", standard, { compared })]),
      ...(window || numKvHeads < numHeads
        ? []
        : [ort("MultiHeadAttention", multiHead, { compared: backToHeads })]),
      ...(causal ? [ort("GroupQueryAttention", groupQuery, { compared: backToHeads })] : []),
      jax(
        ({ numpy, nn }) => ({
          compute: (query, key, value) => nn.dotProductAttention(query, key, value, { isCausal: causal }),
          inputs: Object.values(heads(shape)).map((data, i) => {
            const count = i === 0 ? numHeads : numKvHeads;
            return numpy.array(swapAxes(data, count, length, headDim)).reshape([1, length, count, headDim]);
          }),
        }),
        { compared: backToHeads },
      ),
      tfjs(composedInTfjs, { compared }),
      {
        name: "plain loops",
        kind: "peer",
        resident: "nothing",
        prepare() {
          const [inputs, out] = [heads(shape), empty()];
          const call = () => plainAttention(shape, inputs, sees, out, all);
          return { call, output: () => compared(call()) };
        },
      },
      // At 16384 the composed map takes 12 GiB: only measured for peers that refuse it.
      ...(window ? [] : [native("composed", composed, { compared })]),
      ...(causal
        ? [native("GroupQueryAttention", groupQuery, { compared: backToHeads })]
        : [native("MultiHeadAttention", multiHead, { compared: backToHeads })]),
      arithmeticLimit("mulAdd", (rate) => (flops / rate) * 1000),
      arithmeticLimit("fused", (rate) => (flops / rate) * 1000),
    ],
  };

  function composedInTfjs(tf) {
    const [query, key, value] = Object.values(heads(shape)).map((data, i) =>
      tf.tensor3d(data, [i === 0 ? numHeads : numKvHeads, length, headDim]),
    );
    const group = numHeads / numKvHeads;
    const repeated = (x) =>
      group === 1
        ? x
        : x
            .reshape([numKvHeads, 1, length, headDim])
            .tile([1, group, 1, 1])
            .reshape([numHeads, length, headDim]);
    let mask;
    return () =>
      tf.tidy(() => {
        const scores = tf.matMul(query, repeated(key), false, true).mul(1 / Math.sqrt(headDim));
        if (causal)
          mask ??= tf.keep(
            tf.linalg
              .bandPart(tf.ones([length, length]), -1, 0)
              .sub(1)
              .mul(1e9)
              .expandDims(),
          );
        return tf.matMul(tf.softmax(causal ? scores.add(mask) : scores), repeated(value));
      });
  }
}

/** The mask alone would take a gigabyte, for a model that cannot run. */
function withoutMask(shape, inputs) {
  return composed(shape, inputs);
}
