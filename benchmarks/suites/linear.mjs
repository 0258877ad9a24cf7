// Mixers with a state of fixed size, instead of softmax attention: 12 heads of size 64, float32, chunks of 64. Time
// grows linearly with the length: the rows against softmax show the length from which on this is faster.
import { heads, swapAxes } from "../heads.mjs";
import { groupQuery } from "../peers/attention-models.mjs";
import { jax, openJax } from "../peers/jax.mjs";
import { arithmeticLimit, copyLimit } from "../peers/limits.mjs";
import { linearAttention } from "../peers/linear-attention-model.mjs";
import { onnxruntime } from "../peers/onnxruntime.mjs";
import { ours } from "../peers/ours.mjs";
import { firstStates, gatedDelta, plainStates, ssdInputs, ssdSteps } from "../states.mjs";

const [numHeads, headDim, chunk] = [12, 64, 64];
/** Length above which peers that go token by token, or copy a gigabyte, are omitted. */
const [longestOfPeers, longestOfSteps] = [16384, 1024];

export const rows = (context) => [
  ...[1024, 4096, 16384, 65536].flatMap((length) => [
    gatedDeltaRow(context, length),
    ssdRow(context, length),
  ]),
  ...[512, 1024, 2048, 4096, 8192].map((length) => softmaxRow(context, length)),
  decodeRow(context),
];

/**
 * Operations of the chunked form per token and head, counting only the lower triangles: two products of L × L pairs, the
 * triangular system and the reads of a chunk's own values, and three products with the state.
 */
const gatedDeltaFlops = (K, V) => chunk * (2 * K + 2 * V) + 6 * K * V;
/** Pairs are shared by all heads, nothing is erased. */
const ssdFlops = (K, V) => chunk * (K / numHeads + V) + 4 * K * V;

const headsShape = (x, { batch = 1, length }) => [
  x,
  [batch, x.length / batch / length / headDim, length, headDim],
];

function gatedDeltaRow(context, length) {
  const shape = { numHeads, length, headDim };
  const row = sequenceRow(context, `gated-delta-${length}`, shape, {
    flops: gatedDeltaFlops(headDim, headDim),
    steps: () => gatedDelta(shape),
    rule: "gated_delta",
    scale: 1 / Math.sqrt(headDim),
    async mixer() {
      const { gatedDeltaRule, mix } = await import("@qkv/attention");
      const { query, key, value, decay, beta } = gatedDelta(shape);
      const gates = [1, numHeads, length];
      return {
        inputs: [...[query, key, value].map((x) => headsShape(x, shape)), [decay, gates], [beta, gates]],
        compute: (query, key, value, decay, beta) =>
          mix(gatedDeltaRule(), { query, key, value, decay, beta }).output,
      };
    },
  });
  if (length <= longestOfSteps) row.contenders.push(jaxSteps(shape, row.compared));
  return row;
}

function ssdRow(context, length) {
  const shape = { numHeads, length, headDim };
  const row = sequenceRow(context, `ssd-${length}`, shape, {
    flops: ssdFlops(headDim, headDim),
    steps: () => ssdSteps(shape, ssdInputs(shape)),
    rule: "gated",
    scale: 1,
    async mixer() {
      const { mix, ssd } = await import("@qkv/attention");
      const { query, key, value, deltaTime, A } = ssdInputs(shape);
      return {
        inputs: [
          ...[query, key, value].map((x) => headsShape(x, shape)),
          [deltaTime, [1, numHeads, length]],
          [A, [numHeads]],
        ],
        compute: (query, key, value, deltaTime, A) => mix(ssd(), { query, key, value, deltaTime, A }).output,
      };
    },
  });
  if (length <= longestOfPeers) row.contenders.push(jaxChunks(shape, row.compared));
  return row;
}

function sequenceRow(context, name, shape, { flops, steps, rule, scale, mixer }) {
  const { length } = shape;
  const all = flops * numHeads * length;
  // Some tokens of two heads are sufficient to check an output.
  const [someHeads, some] = [
    [0, numHeads - 1],
    [0, 1, (length >> 1) + 3, length - 2, length - 1],
  ];
  const compared = (output) =>
    someHeads.flatMap((head) =>
      some.flatMap((t) => [
        ...output.subarray((head * length + t) * headDim, (head * length + t + 1) * headDim),
      ]),
    );
  const plain = (only) => {
    const states = new Float32Array(numHeads * headDim * headDim);
    const out = new Float32Array(numHeads * length * headDim);
    const inputs = steps();
    return () => plainStates(shape, inputs, states.fill(0), out, scale, only);
  };
  const operator = (kind) =>
    onnxruntime(kind, () => linearAttention(rule, shape, steps(), undefined, scale), {
      variant: "LinearAttention",
      compared: (output) => compared(swapAxes(output, length, numHeads, headDim)),
    });
  return {
    id: `linear/${name}`,
    unit: "ms",
    better: "low",
    tolerance: 2e-3,
    compared,
    expected: () => compared(plain(someHeads)()),
    contenders: [
      ...ours(context, mixer, { compared, resident: ["all", "nothing"] }),
      ...(length > longestOfPeers
        ? []
        : [
            operator("peer"),
            {
              name: "plain loops",
              kind: "peer",
              resident: "nothing",
              prepare() {
                const call = plain();
                return { call, output: () => compared(call()) };
              },
            },
            operator("native"),
          ]),
      arithmeticLimit("mulAdd", (rate) => (all / rate) * 1000),
      arithmeticLimit("fused", (rate) => (all / rate) * 1000),
    ],
  };
}

/** jax-js has no scan: a compiled step is called for each token. */
function jaxSteps({ numHeads, length, headDim }, compared) {
  return {
    name: "jax-js, a compiled step",
    kind: "peer",
    resident: "all",
    async prepare() {
      const library = await openJax();
      const { numpy: np } = library;
      const { query, key, value, decay, beta } = gatedDelta({ numHeads, length, headDim });
      const tokens = (data, dim) =>
        Array.from({ length }, (_, t) => {
          const rows = Array.from({ length: numHeads }, (_, head) => {
            const at = (head * length + t) * dim;
            return [...data.subarray(at, at + dim)];
          });
          return np.array(rows);
        });
      const inputs = [query, key, value].map((x) => tokens(x, headDim));
      const gates = [decay, beta].map((x) => tokens(x, 1));
      const step = library.jit((state, q, k, v, g, b) => deltaStep(np, state, q, k, v, g, b));
      const run = () => {
        let state = np.zeros([numHeads, headDim, headDim]);
        const outputs = [];
        for (let t = 0; t < length; t++) {
          const [next, output] = step(state, ...[...inputs, ...gates].map((x) => x[t].ref));
          state = next;
          outputs.push(output);
        }
        state.dispose();
        return np.stack(outputs, 1);
      };
      return {
        async call() {
          const result = run();
          await result.blockUntilReady();
          result.dispose();
        },
        output: async () => compared(await run().data()),
      };
    },
  };
}

/**
 * Any leading axes before those of a head: state [K, V], query, key and value [D], gates [1]. Every use of an array
 * consumes it.
 */
function deltaStep(np, state, query, key, value, decay, beta) {
  const decayed = state.mul(np.expandDims(np.exp(decay), -1));
  const read = np.expandDims(key.ref, -1).mul(decayed.ref).sum(-2);
  const written = value.sub(read).mul(beta);
  const next = decayed.add(np.expandDims(key, -1).mul(np.expandDims(written, -2)));
  const scale = 1 / Math.sqrt(query.shape.at(-1));
  const scaled = np.expandDims(query.mul(scale), -1);
  return [next.ref, scaled.mul(next).sum(-2)];
}

/**
 * The algorithm listed in "Transformers are SSMs" (2024): products inside chunks, and a matrix of decays between
 * chunks.
 */
function jaxChunks(shape, compared) {
  const { length } = shape;
  const numChunks = length / chunk;
  return jax(
    ({ numpy: np, jit: _ }) => {
      const inChunks = (data, count, dim) =>
        np.array(data).reshape([count, numChunks, chunk, dim].filter((n, i) => i < 3 || n > 0));
      /** Segment sums: the sum between each two positions, −∞ if the second is earlier. */
      const between = (x, n) => {
        const sums = np.cumsum(x, -1);
        const pairs = np.expandDims(sums.ref, -1).sub(np.expandDims(sums, -2));
        return np.where(np.tri(n, n).greater(0.5), pairs, -1e30);
      };
      const { query, key, value, deltaTime, A } = ssdInputs(shape);
      return {
        inputs: [
          inChunks(query, 1, headDim),
          inChunks(key, 1, headDim),
          inChunks(value, numHeads, headDim),
          inChunks(deltaTime, numHeads, 0),
          np.array(A).reshape([numHeads, 1, 1]),
        ],
        compute(C, B, x, dt, A) {
          const decay = dt.ref.mul(A); // [H, N, L]
          const X = x.mul(np.expandDims(dt, -1));
          const sums = np.cumsum(decay.ref, -1);
          const total = decay.ref.sum(-1); // [H, N]
          const pairs = np.matmul(C.ref, np.matrixTranspose(B.ref));
          const within = np.matmul(pairs.mul(np.exp(between(decay, chunk))), X.ref);
          const untilEnd = np.exp(np.expandDims(total.ref, -1).sub(sums.ref));
          const written = np.matmul(np.matrixTranspose(B), X.mul(np.expandDims(untilEnd, -1))); // [H, N, K, V]
          const padded = np.pad(total, [
            [0, 0],
            [1, 0],
          ]);
          const chunks = np.exp(between(padded, numChunks + 1)); // [H, N + 1, N + 1]
          const later = chunks.slice([], [0, numChunks], [1, numChunks + 1]);
          const states = np.matmul(later, written.reshape([numHeads, numChunks, headDim * headDim]));
          const earlier = np
            .matmul(C, states.reshape([numHeads, numChunks, headDim, headDim]))
            .mul(np.expandDims(np.exp(sums), -1));
          return within.add(earlier);
        },
      };
    },
    { compared },
  );
}

/** The gated delta rule and softmax attention over the same heads: outputs differ, times are compared. */
function softmaxRow(context, length) {
  const shape = { numHeads, numKvHeads: numHeads, headDim, queryLength: length, keyLength: length };
  const uncompared = { compared: () => undefined };
  const mixer = gatedDeltaRow(context, length).contenders.filter(({ kind }) => kind === "ours");
  return {
    id: `linear/gated-delta-beside-softmax-${length}`,
    unit: "ms",
    better: "low",
    contenders: [
      ...mixer.map((contender) => ({ ...contender, name: `${contender.name}, gated delta rule` })),
      ...ours(
        context,
        async () => {
          const { attention, causal } = await import("@qkv/attention");
          return {
            inputs: Object.values(heads(shape)).map((x) => headsShape(x, { length })),
            compute: (query, key, value) => attention(query, key, value, { mask: causal() }),
          };
        },
        { ...uncompared, variant: "softmax", rival: true },
      ),
      onnxruntime("peer", () => groupQuery(shape, heads(shape)), { ...uncompared, variant: "softmax" }),
      jax(
        ({ numpy, nn }) => ({
          compute: (query, key, value) => nn.dotProductAttention(query, key, value, { isCausal: true }),
          inputs: Object.values(heads(shape)).map((data) =>
            numpy.array(swapAxes(data, numHeads, length, headDim)).reshape([1, length, numHeads, headDim]),
          ),
        }),
        uncompared,
      ),
    ],
  };
}

/** One token of 16 sequences, whose states take 32 MB. */
function decodeRow(context) {
  const shape = { batch: 16, numHeads: 32, length: 1, headDim: 128 };
  const { batch, numHeads, headDim } = shape;
  const bytes = 4 * batch * numHeads * headDim * headDim;
  const stateShape = [batch, numHeads, headDim, headDim];
  const scale = 1 / Math.sqrt(headDim);
  const empty = () => new Float32Array(batch * numHeads * headDim);
  const operator = (kind) =>
    onnxruntime(
      kind,
      () => linearAttention("gated_delta", shape, gatedDelta(shape), firstStates(shape), scale),
      {
        variant: "LinearAttention",
      },
    );
  return {
    id: "linear/decode-32mb",
    unit: "ms",
    better: "low",
    tolerance: 1e-3,
    expected: () => plainStates(shape, gatedDelta(shape), firstStates(shape), empty()),
    contenders: [
      ...ours(
        context,
        async () => {
          const { gatedDeltaRule, mix } = await import("@qkv/attention");
          const { query, key, value, decay, beta } = gatedDelta(shape);
          const [vectors, gates] = [
            [batch, numHeads, 1, headDim],
            [batch, numHeads, 1],
          ];
          return {
            inputs: [...[query, key, value].map((x) => [x, vectors]), [decay, gates], [beta, gates]],
            state: [[firstStates(shape), stateShape]],
            compute: (query, key, value, decay, beta, initialState) =>
              mix(gatedDeltaRule(), { query, key, value, decay, beta }, { initialState, overwrite: true })
                .output,
          };
        },
        { resident: ["all", "state", "nothing"] },
      ),
      operator("peer"),
      jax(
        ({ numpy: np }) => {
          const { query, key, value, decay, beta } = gatedDelta(shape);
          const rows = [batch * numHeads, headDim];
          return {
            // The new states are computed too: the outputs read them.
            compute: (...inputs) => {
              const [state, output] = deltaStep(np, ...inputs);
              return np.concatenate([output.reshape([-1]), state.reshape([-1])]);
            },
            inputs: [
              np.array(firstStates(shape)).reshape([batch * numHeads, headDim, headDim]),
              ...[query, key, value].map((x) => np.array(x).reshape(rows)),
              ...[decay, beta].map((x) => np.array(x).reshape([batch * numHeads, 1])),
            ],
          };
        },
        { compared: (all) => all.subarray(0, batch * numHeads * headDim) },
      ),
      {
        name: "plain loops",
        kind: "peer",
        resident: "state",
        prepare() {
          const [inputs, states, out] = [gatedDelta(shape), firstStates(shape), empty()];
          const call = () => plainStates(shape, inputs, states, out);
          return { call, output: () => call().slice() };
        },
      },
      operator("native"),
      copyLimit(bytes, (rate) => ((2 * bytes) / rate) * 1000),
    ],
  };
}
