import type { LinearParams } from "@qkv/attention";
import {
  add,
  clamp,
  concat,
  div,
  expandDims,
  linear,
  matmul,
  maximum,
  mean,
  mul,
  randn,
  reshape,
  slice,
  splitSeed,
  sqrt,
  stack,
  sub,
  tanh,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import { norm, type NormKind, type NormParams } from "./norm.js";

/** Configuration of alternating updates. */
export type AltUpConfig = {
  /** N, the number of residual streams, at least 2. */
  streams: number;
  /** Index of the stream that layers compute. Default 0. */
  active?: number;
  /** Limit to which correction coefficients are clamped, ±. Default: no limit. */
  coefficientLimit?: number;
  /** True: the active stream has a learned scale where it gates the per-layer embedding. Default false. */
  outputScale?: boolean;
};

/** AltUp params of one layer: small matrices, which are not quantized. */
export type AltUpLayerParams = {
  /** `[C]` */
  routerNorm: NormParams;
  /** `[N, C]` */
  router: Tensor;
  /** `[N · N, N]`: row `j · N + i` gives the coefficient of stream i in the prediction of stream j. */
  prediction: Tensor;
  /** `[N, N]` */
  correction: Tensor;
  /** `[C]`, with `outputScale`. */
  outputScale?: Tensor;
};

/** AltUp params outside the layers: one projection for each stream except the first. */
export type AltUpParams = {
  /** `[C, C]` each: from embeddings to a stream. */
  expand: LinearParams[];
  /** `[C, C]` each: from a stream to its part of the averaged output. */
  merge: LinearParams[];
};

/** Alternating updates: created from their configuration; the params are passed to each call. Streams are one tensor, `[B, T, N, C]`. */
export type AltUp = {
  readonly active: number;
  init(seed: number): AltUpParams;
  initLayer(seed: number): AltUpLayerParams;
  /** Embeddings `[B, T, C]` to streams, each with the magnitude of the embeddings. */
  expand(params: AltUpParams, x: Tensor): Tensor;
  /** Streams to their mean `[B, T, C]`, each with the magnitude of the first. */
  merge(params: AltUpParams, streams: Tensor): Tensor;
  /** Predicts the streams after the layer, from all streams. */
  predict(params: AltUpLayerParams, streams: Tensor): Tensor;
  /** The active stream, `[B, T, C]`. */
  activeOf(streams: Tensor): Tensor;
  /** Corrects predicted streams by `computed`, the output of the layer for the active stream, `[B, T, C]`. */
  correct(params: AltUpLayerParams, predicted: Tensor, computed: Tensor): Tensor;
  /** The active stream, scaled for gating the per-layer embedding. */
  scaled(params: AltUpLayerParams, x: Tensor): Tensor;
  /** Adds `added` `[B, T, C]` to all streams except the first. */
  addToOthers(streams: Tensor, added: Tensor): Tensor;
  /** Replaces the active stream by x. */
  withActive(streams: Tensor, x: Tensor): Tensor;
};

/**
 * Alternating updates (AltUp): there are N residual streams, and a layer computes only one of them, the active stream. The
 * outputs of all streams are predicted by a learned `[N, N]` matrix per token, and corrected by the difference of computed and
 * predicted active stream.
 *
 * @see "Alternating Updates for Efficient Transformers" (2023), arXiv:2301.13310
 */
export function altUp(
  config: AltUpConfig & { embedDim: number; norm: NormKind; eps: number; linear?: typeof linear },
): AltUp {
  const { embedDim: C, streams: N, active = 0, coefficientLimit: limit, linear: project = linear } = config;
  const routerNorm = norm({ kind: config.norm, embedDim: C, eps: config.eps });
  /** Router output in (−1, 1), from the active stream: `[B, T, N]`. */
  const route = (params: AltUpLayerParams, x: Tensor): Tensor => {
    const normed = mul(routerNorm.apply(params.routerNorm, x), 1 / C);
    return tanh(linear(normed, params.router));
  };
  const streamAt = (streams: Tensor, i: number): Tensor => {
    const [B, T] = streams.shape as [number, number];
    return reshape(slice(streams, 2, i, i + 1), [B, T, C]);
  };
  const randomMatrix = (seed: number, out: number, inner: number): Tensor =>
    mul(randn([out, inner], { seed }), inner ** -0.5);
  const withStream = (streams: Tensor, i: number, x: Tensor): Tensor =>
    concat(
      [
        ...(i > 0 ? [slice(streams, 2, 0, i)] : []),
        expandDims(x, 2),
        ...(i < N - 1 ? [slice(streams, 2, i + 1, N)] : []),
      ],
      2,
    );
  return {
    active,
    init(seed) {
      const names = Array.from({ length: 2 * N - 2 }, (_, i) => `${i}`);
      const seeds = splitSeed(seed, names);
      const maps = names.map((name) => ({ weight: randomMatrix(seeds[name]!, C, C) }));
      return { expand: maps.slice(0, N - 1), merge: maps.slice(N - 1) };
    },
    initLayer(seed) {
      const seeds = splitSeed(seed, ["router", "prediction", "correction"]);
      return {
        routerNorm: routerNorm.init(),
        router: randomMatrix(seeds.router, N, C),
        prediction: randomMatrix(seeds.prediction, N * N, N),
        correction: randomMatrix(seeds.correction, N, N),
        ...(config.outputScale && { outputScale: zeros([C]) }),
      };
    },
    expand(params, x) {
      const otherStreams = params.expand.map(({ weight }) => matchMagnitude(x, project(x, weight)));
      return stack([x, ...otherStreams], 2);
    },
    merge(params, streams) {
      const first = streamAt(streams, 0);
      const otherRows = params.merge.map(({ weight }, i) =>
        matchMagnitude(first, project(streamAt(streams, i + 1), weight)),
      );
      return mul(
        otherRows.reduce((sum, x) => add(sum, x), first),
        1 / N,
      );
    },
    predict(params, streams) {
      const [B, T] = streams.shape as [number, number];
      const routed = route(params, streamAt(streams, active));
      const coefficients = reshape(linear(routed, params.prediction), [B, T, N, N]);
      return add(streams, matmul(coefficients, streams));
    },
    activeOf: (streams) => streamAt(streams, active),
    correct(params, predicted, computed) {
      const { correction } = params;
      const clamped = limit === undefined ? correction : clamp(correction, { min: -limit, max: limit });
      const coefficients = add(linear(route(params, computed), clamped), 1); // [B, T, N]
      const change = sub(computed, streamAt(predicted, active)); // [B, T, C]
      return add(predicted, mul(expandDims(coefficients, 3), expandDims(change, 2)));
    },
    scaled: ({ outputScale }, x) => (config.outputScale ? mul(x, outputScale!) : x),
    addToOthers: (streams, added) =>
      concat([slice(streams, 2, 0, 1), add(slice(streams, 2, 1, N), expandDims(added, 2))], 2),
    withActive: (streams, x) => withStream(streams, active, x),
  };
}

/** Scales rows to the root mean square of other rows. Rows near 0 are not amplified without limit. */
function matchMagnitude(other: Tensor, x: Tensor): Tensor {
  const meanSquare = (y: Tensor): Tensor => mean(mul(y, y), { axis: -1, keepDims: true });
  return mul(x, div(sqrt(meanSquare(other)), sqrt(maximum(meanSquare(x), 1e-5))));
}
