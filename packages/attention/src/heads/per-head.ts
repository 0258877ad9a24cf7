import { checks, ShapeError, type Checks } from "@qkv/core";
import { add, checkTensor, einsum, expandDims, permute, reshape, type Tensor } from "@qkv/tensor";
import {
  normalizeAndRotate,
  attendHeads,
  checkParams,
  checkTrace,
  type HeadsParams,
  type Trace,
} from "./attend-heads.js";
import { checkWide } from "./check-wide.js";
import {
  attentionLayer,
  layerOptions,
  type AttentionLayer,
  type AttentionParams,
  type GroupedQueryConfig,
  type LinearParams,
} from "./grouped-query.js";

/** Configuration of a layer with a matrix for each head. */
export type PerHeadConfig = Omit<GroupedQueryConfig, "gate" | "differential" | "memory" | "valueResidual">;

/** The weights of an attention layer, one matrix for each head. */
export type PerHeadParams = HeadsParams & {
  /** `[H, D, C]`, bias `[H, D]` */
  query: LinearParams;
  /** `[Hkv, D, C]`, bias `[Hkv, D]` */
  key: LinearParams;
  /** `[Hkv, D, C]`, bias `[Hkv, D]` */
  value: LinearParams;
  /** `[H, C, D]`: what each head writes; bias `[C]` */
  output: LinearParams;
};

/** A layer with separate weights per head. */
export type PerHeadLayer = {
  readonly config: AttentionLayer["config"];
  /** The weights that the fused layer draws, cut by head. */
  init(seed: number): PerHeadParams;
  /** `[B, T, C]` to `[B, T, C]`. */
  apply(params: PerHeadParams, x: Tensor, options?: { trace?: Trace; dropoutSeed?: number }): Tensor;
};

/**
 * Multi-head attention with a separate matrix for each head, `[H, D, C]`. {@link groupedQuery} projects once and splits
 * the result instead. The matrices hold the same numbers, stacked, and the outputs are equal bit for bit.
 *
 * It costs the same as the fused layer. Use it to inspect, train or remove single heads; {@link splitHeads} and {@link fuseHeads}
 * convert the weights in both directions.
 *
 * @see "Attention Is All You Need" (2017), arXiv:1706.03762, section 3.2.2, which writes it so
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { fuseHeads, multiHead, perHead } from "@qkv/attention";
 *
 * const config = { embedDim: 8, numHeads: 2 };
 * const [one, two] = [multiHead(config), perHead({ ...config, numKvHeads: 2 })];
 * const params = two.init(1);
 * params.query.weight.shape; // => [2, 4, 8]
 * const x = randn([1, 3, 8], { seed: 2 });
 * two.apply(params, x).data[5] === one.apply(fuseHeads(params), x).data[5]; // => true
 * ```
 */
export function perHead(config: PerHeadConfig): PerHeadLayer {
  const check: Checks = checks("perHead");
  const names = layerOptions().filter(
    (name) => name !== "gate" && name !== "differential" && name !== "memory" && name !== "valueResidual",
  );
  const fused = attentionLayer("perHead", check.options(config, [...names, "numKvHeads"], "config"));
  const { embedDim: C } = fused.config;
  const project = ({ weight, bias }: LinearParams, x: Tensor): Tensor => {
    const heads = einsum("hdc,btc->bhtd", weight, x);
    return bias ? add(heads, expandDims(bias, 1)) : heads;
  };
  return {
    config: fused.config,
    init: (seed) => splitHeads(fused.init(seed), fused.config),
    apply(params, x, options) {
      const check: Checks = checks("apply");
      const { trace, dropoutSeed } = check.options(options, ["trace", "dropoutSeed"]);
      checkTrace(check, trace);
      checkWide(x, C);
      checkParams("apply", params, ["query", "key", "value", "output"]);
      const positions = { start: 0 };
      const key = normalizeAndRotate(config, params, "key", project(params.key, x), positions); // [B, Hkv, T, D]
      const keyValues = { key: [key], value: [project(params.value, x)], positions };
      const mixed = attendHeads(config, params, project(params.query, x), keyValues, {
        ...{ positions, trace, dropoutSeed },
      });
      const { weight, bias } = params.output;
      const output = einsum("bhtd,hcd->btc", mixed, weight);
      return bias ? add(output, bias) : output;
    },
  };
}

/**
 * Splits the stacked matrices of a layer into one per head: `[H · D, C]` becomes `[H, D, C]`, and the output's `[C, H ·
 * D]` becomes `[H, C, D]`. The numbers stay the same; nothing is computed.
 *
 * @param config - The layer's: `numHeads` and `numKvHeads`.
 * @throws {ShapeError} If the heads do not divide the rows.
 *
 * @example
 * ```ts
 * import { multiQuery, splitHeads } from "@qkv/attention";
 *
 * const layer = multiQuery({ embedDim: 8, numHeads: 2 });
 * const { query, key, output } = splitHeads(layer.init(1), layer.config);
 * [query, key, output].map(({ weight }) => weight.shape); // => [[2, 4, 8], [1, 4, 8], [2, 8, 4]]
 * ```
 */
export function splitHeads(
  params: AttentionParams,
  sizes: { numHeads: number; numKvHeads: number },
): PerHeadParams {
  const check: Checks = checks("splitHeads");
  const { numHeads, numKvHeads } = (sizes ?? {}) as typeof sizes;
  check.whole(
    { numHeads, numKvHeads },
    { min: 1, unit: "heads", fix: "give the configuration of the layer." },
  );
  checkParams("splitHeads", params, ["query", "key", "value", "output"]);
  const rows = (argument: "query" | "key" | "value", heads: number): LinearParams => {
    const { weight, bias } = params[argument];
    const [out, inner] = checkRank(`params.${argument}.weight`, weight, 2, "[heads · D, C]");
    if (out! % heads !== 0) {
      check.refuse(
        {
          argument: `params.${argument}.weight`,
          received: weight.shape,
          expected: `[heads · D, C] with ${heads} heads of one size`,
          fix: "give numHeads and numKvHeads of the layer that the params belong to.",
        },
        ShapeError,
      );
    }
    const split = reshape(weight, [heads, out! / heads, inner!]);
    return { weight: split, ...(bias && { bias: reshape(bias, [heads, out! / heads]) }) };
  };
  const [query, key, value] = [
    rows("query", numHeads),
    rows("key", numKvHeads),
    rows("value", numKvHeads),
  ] as const;
  const { weight, bias } = params.output;
  const [C, inner] = checkRank("params.output.weight", weight, 2, "[C, H · D]");
  const written = permute(reshape(weight, [C!, numHeads, inner! / numHeads]), [1, 0, 2]);
  return {
    ...params,
    query,
    key,
    value,
    output: { weight: written, ...(bias && { bias }) },
  };
}

/**
 * Stacks the matrices of separate heads into those of a fused layer: the inverse of {@link splitHeads}, bit for bit.
 *
 * @example
 * ```ts
 * import { fuseHeads, perHead } from "@qkv/attention";
 *
 * fuseHeads(perHead({ embedDim: 8, numHeads: 2, numKvHeads: 1 }).init(1)).key.weight.shape; // => [4, 8]
 * ```
 */
export function fuseHeads(params: PerHeadParams): AttentionParams {
  checkParams("fuseHeads", params, ["query", "key", "value", "output"]);
  const stack = (argument: "query" | "key" | "value"): LinearParams => {
    const { weight, bias } = params[argument];
    const [heads, D, C] = checkRank(`params.${argument}.weight`, weight, 3, "[heads, D, C]", "fuseHeads");
    return {
      weight: reshape(weight, [heads! * D!, C!]),
      ...(bias && { bias: reshape(bias, [heads! * D!]) }),
    };
  };
  const { weight, bias } = params.output;
  const [H, C, D] = checkRank("params.output.weight", weight, 3, "[H, C, D]", "fuseHeads");
  return {
    ...params,
    query: stack("query"),
    key: stack("key"),
    value: stack("value"),
    output: { weight: reshape(permute(weight, [1, 0, 2]), [C!, H! * D!]), ...(bias && { bias }) },
  };
}

function checkRank(argument: string, x: Tensor, rank: number, expected: string, fn = "splitHeads") {
  const { shape } = checkTensor(fn, argument, x);
  if (shape.length === rank) return shape;
  const fix = `${fn} goes one way; ${fn === "fuseHeads" ? "splitHeads" : "fuseHeads"} goes the other.`;
  return checks(fn).refuse({ argument, received: shape, expected, fix }, ShapeError);
}
