// One query with a resident cache of 16384 keys and values: a decoder's token.
import { heads, plainAttention, swapAxes } from "../heads.mjs";
import { composed, groupQuery } from "../peers/attention-models.mjs";
import { jax } from "../peers/jax.mjs";
import { readLimit } from "../peers/limits.mjs";
import { onnxruntime } from "../peers/onnxruntime.mjs";
import { ours } from "../peers/ours.mjs";
import { tfjs } from "../peers/tfjs.mjs";

const [numHeads, headDim, length] = [12, 64, 16384];

export const rows = (context) => [row(context, 12, context.threads > 1 ? 1.9 : 2.1), row(context, 4, 3.5)];

function row(context, numKvHeads, aim) {
  const shape = { numHeads, numKvHeads, headDim, queryLength: 1, keyLength: length };
  const sees = { first: () => 0, last: () => length - 1 };
  const plain = (inputs, out) => plainAttention(shape, inputs, sees, out, [0]);
  const bytes = 2 * 4 * numKvHeads * length * headDim;
  const ort = (kind) => [
    onnxruntime(kind, () => composed(shape, heads(shape), { baked: true }), {
      variant: "cache in the model",
      resident: "state",
    }),
    onnxruntime(kind, () => composed(shape, heads(shape)), { variant: "cache fed" }),
    onnxruntime(kind, () => groupQuery(shape, heads(shape)), { variant: "GroupQueryAttention" }),
  ];
  return {
    id: `decode/16384-kv${numKvHeads}`,
    unit: "ms",
    better: "low",
    aim,
    tolerance: 1e-4,
    expected: () => plain(heads(shape), new Float64Array(numHeads * headDim)),
    contenders: [
      ...ours(
        context,
        async () => {
          const { attention, causal } = await import("@qkv/attention");
          const mask = causal();
          const { query, key, value } = heads(shape);
          const cache = [1, numKvHeads, length, headDim];
          return {
            inputs: [[query, [1, numHeads, 1, headDim]]],
            state: [
              [key, cache],
              [value, cache],
            ],
            compute: (q, k, v) => attention(q, k, v, { mask }),
          };
        },
        { resident: ["all", "state", "nothing"] },
      ),
      ...ort("peer"),
      jax(({ numpy, nn }) => ({
        compute: (query, key, value) => nn.dotProductAttention(query, key, value),
        inputs: Object.values(heads(shape)).map((data, i) =>
          i === 0
            ? numpy.array(data).reshape([1, 1, numHeads, headDim])
            : numpy
                .array(swapAxes(data, numKvHeads, length, headDim))
                .reshape([1, length, numKvHeads, headDim]),
        ),
      })),
      tfjs((tf) => {
        const [query, key, value] = Object.values(heads(shape)).map((data, i) =>
          i === 0
            ? tf.tensor3d(data, [numHeads, 1, headDim])
            : tf.tensor3d(data, [numKvHeads, length, headDim]),
        );
        // Queries that share keys are rows of one product: keys are not repeated.
        const grouped = query.reshape([numKvHeads, numHeads / numKvHeads, headDim]);
        return () =>
          tf.tidy(() => {
            const scores = tf.matMul(grouped, key, false, true).mul(1 / Math.sqrt(headDim));
            return tf.matMul(tf.softmax(scores), value);
          });
      }),
      {
        name: "plain loops",
        kind: "peer",
        resident: "state",
        prepare() {
          const [inputs, out] = [heads(shape), new Float32Array(numHeads * headDim)];
          const call = () => plain(inputs, out);
          return { call, output: call };
        },
      },
      ...ort("native"),
      readLimit(bytes, (rate) => (bytes / rate) * 1000),
    ],
  };
}
