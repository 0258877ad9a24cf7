import { checks, sizeOf, type Checks } from "@qkv/core";
import type { LinearParams } from "@qkv/attention";
import {
  add,
  checkTensor,
  greater,
  linear,
  mul,
  randn,
  reshape,
  scatter,
  sigmoid,
  slice,
  splitSeed,
  take,
  tensor,
  where,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import { checkParams } from "./check-params.js";
import {
  feedForward,
  feedForwardParts,
  type FeedForwardConfig,
  type FeedForwardParams,
} from "./feed-forward.js";
import { checkChoiceBias, checkRouter, route, type Route, type RouterConfig } from "./router.js";

/** Configuration of a mixture of experts: many feed-forward layers, of which a token uses a few. */
export type MixtureOfExpertsConfig = FeedForwardConfig & {
  numExperts: number;
  /** Number of experts that process a token. */
  expertsPerToken: number;
  /** Normalizes the weights of the top-k experts to sum to 1 (`norm_topk_prob`). Default true, as in Mixtral. */
  normTopKProb?: boolean;
  /** Router options. Default: the experts with the highest softmax scores. */
  router?: RouterConfig;
  /** Shared expert, which processes every token. Default: none. */
  shared?: SharedExpertConfig;
};

/** A shared expert, which processes every token in addition to the routed ones. */
export type SharedExpertConfig = {
  /** F of this expert. Several shared experts are one expert of their total width. */
  hiddenDim: number;
  /** Multiplies its output by a sigmoid gate. Default false. */
  gated?: boolean;
};

export type MixtureOfExpertsParams = {
  /** Router, `[numExperts, C]`. */
  router: RouterParams;
  experts: FeedForwardParams[];
  /** The shared expert. */
  shared?: FeedForwardParams;
  /** `[1, C]`: the gate of a gated shared expert. */
  sharedGate?: LinearParams;
};

/** The projection of a router, and its correction bias `[numExperts]`, if it has one. */
export type RouterParams = LinearParams & { choiceBias?: Tensor };

/** A mixture of experts: created from its configuration; the params are passed to each call. */
export type MixtureOfExperts = {
  init(seed: number): MixtureOfExpertsParams;
  /** `[…, C]` to `[…, C]`. */
  apply(params: MixtureOfExpertsParams, x: Tensor): Tensor;
  /**
   * The experts that process each token of x `[…, C]`, int32, and the weights of their outputs: both `[N, expertsPerToken]` for
   * N tokens, the highest first.
   */
  route(params: MixtureOfExpertsParams, x: Tensor): { readonly chosen: Tensor; readonly shares: Tensor };
};

/**
 * A mixture of experts in place of a feed-forward layer: a router sends each token to the `expertsPerToken` experts
 * with the highest scores and weights their outputs by the softmax of those scores.
 *
 * A token costs `expertsPerToken` feed-forward layers, whatever the number of experts; memory holds them all. The
 * choice has no gradient; the routing weights have.
 *
 * @throws {ArgumentError} If `expertsPerToken` exceeds the number of experts.
 * @see "Outrageously Large Neural Networks" (2017), arXiv:1701.06538; "Mixtral of Experts" (2024), arXiv:2401.04088
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { mixtureOfExperts } from "@qkv/transformer";
 *
 * const layer = mixtureOfExperts({ embedDim: 8, hiddenDim: 16, numExperts: 4, expertsPerToken: 2 });
 * layer.apply(layer.init(1), randn([1, 3, 8], { seed: 2 })).shape; // => [1, 3, 8]
 * ```
 */
export function mixtureOfExperts(config: MixtureOfExpertsConfig): MixtureOfExperts {
  const {
    numExperts,
    expertsPerToken: k,
    normTopKProb = true,
    router = {},
    shared,
    ...inner
  } = check.options(config, names, "config");
  const { embedDim: C, linear: project = linear } = inner;
  check.whole({ numExperts, embedDim: C, hiddenDim: inner.hiddenDim }, { min: 1 });
  check.type({ normTopKProb }, "boolean");
  if (!Number.isInteger(k) || k < 1 || k > numExperts) {
    check.refuse({
      argument: "expertsPerToken",
      received: k,
      expected: `an integer from 1 to numExperts = ${numExperts}`,
      fix: "let each token use at least one expert, and at most all.",
    });
  }
  const routing = { numExperts, expertsPerToken: k, normTopKProb, router };
  checkRouter(check, routing);
  const expert = feedForward(inner);
  const sharedPart = shared && sharedExpert(shared, inner);
  const asRows = (x: Tensor) => reshape(x, [sizeOf(x.shape.slice(0, -1)), C]); // [N, C]
  const routeRows = ({ router: routerParams }: MixtureOfExpertsParams, rows: Tensor): Route => {
    const { weight, bias, choiceBias } = routerParams;
    checkChoiceBias(onApply, router, choiceBias);
    const logits = project(rows, weight, bias); // [N, numExperts]
    return route(logits, routing, choiceBias);
  };
  return {
    route(params, x) {
      checkParams(onRoute, params, ["router.weight"]);
      checkTensor("mixtureOfExperts.route", "x", x);
      return routeRows(params, asRows(x));
    },
    init(seed) {
      const seeds = splitSeed(seed, feedForwardParts);
      return {
        router: {
          weight: mul(randn([numExperts, C], { seed: seeds.router }), 1 / Math.sqrt(C)),
          ...(router.choiceBias && { choiceBias: zeros([numExperts]) }),
        },
        ...sharedPart?.init(seed),
        // Negative seeds, which no other matrix of a model uses.
        experts: splitSeed(seed, numExperts).map((seed) => expert.init(-seed - 1)),
      };
    },
    apply(params, x) {
      checkParams(onApply, params, ["router.weight", "experts"]);
      checkTensor("mixtureOfExperts.apply", "x", x);
      const { experts } = params;
      const rows = asRows(x);
      const { chosen, shares } = routeRows(params, rows);
      const sumExperts = chosen.device.isPending?.(chosen.storage) ? sumOverAllRows : sumOverChosenRows;
      const routedSum = sumExperts({ chosen, shares, rows, numExperts }, (e, expertRows, share) =>
        router.applyWeightOn === "input"
          ? expert.apply(experts[e]!, mul(expertRows, share))
          : mul(expert.apply(experts[e]!, expertRows), share),
      );
      const y = reshape(routedSum, x.shape);
      return sharedPart ? add(y, sharedPart.apply(params, x)) : y;
    },
  };
}

/** Rows `[N, C]` with their routes. */
type RoutedRows = Route & { readonly rows: Tensor; readonly numExperts: number };

/** Computes the weighted output of an expert for rows `[n, C]`, with their routing weights `[n, 1]`. */
type ApplyExpert = (expert: number, rows: Tensor, share: Tensor) => Tensor;

/** Sum of the experts, each applied to the rows that are routed to it. */
function sumOverChosenRows(
  { chosen, shares, rows, numExperts }: RoutedRows,
  applyExpert: ApplyExpert,
): Tensor {
  const [N, k] = chosen.shape as [number, number];
  const C = rows.shape[1]!;
  const { dtype, device } = rows;
  const flatShares = reshape(shares, [N * k, 1]);
  const expertIds = chosen.data; // [N · k], row by row
  const indexTensor = (indices: number[]) => tensor(indices, { dtype: "int32", device });
  let total: Tensor | undefined;
  for (let e = 0; e < numExperts; e++) {
    const slots = [...expertIds.keys()].filter((slot) => expertIds[slot] === e); // indices in [N · k]
    if (slots.length === 0) continue;
    const tokens = slots.map((slot) => Math.floor(slot / k));
    const expertRows = take(rows, 0, indexTensor(tokens));
    const added = applyExpert(e, expertRows, take(flatShares, 0, indexTensor(slots)));
    // A token uses an expert at most once, so the indices are distinct.
    const rowOfElement = tokens.flatMap((token) => new Array<number>(C).fill(token));
    const indices = reshape(indexTensor(rowOfElement), [tokens.length, C]);
    const scattered = scatter(zeros(rows.shape, { dtype, device }), 0, indices, added);
    total = total ? add(total, scattered) : scattered;
  }
  return total ?? rows;
}

/**
 * Sum of the experts on devices whose memory the host cannot read synchronously: each expert processes all rows, and outputs for rows
 * that are not routed to it get weight 0. This costs all experts, but does not wait for the routes.
 */
function sumOverAllRows({ chosen, shares, rows, numExperts }: RoutedRows, applyExpert: ApplyExpert): Tensor {
  const { dtype, device } = rows;
  const noShares = zeros([rows.shape[0]!, numExperts], { dtype, device });
  const expertShares = scatter(noShares, 1, chosen, shares);
  const isRouted = greater(scatter(noShares, 1, chosen, 1), 0);
  const column = (x: Tensor, e: number) => slice(x, 1, e, e + 1); // [N, 1]
  return Array.from({ length: numExperts }, (_, e) =>
    where(column(isRouted, e), applyExpert(e, rows, column(expertShares, e)), 0),
  ).reduce((a, b) => add(a, b));
}

/** The shared expert, with its gate. */
function sharedExpert(config: SharedExpertConfig, inner: FeedForwardConfig) {
  const { hiddenDim, gated = false } = check.options(config, ["hiddenDim", "gated"], "shared");
  check.whole({ "shared.hiddenDim": hiddenDim }, { min: 1 });
  check.type({ "shared.gated": gated }, "boolean");
  const { embedDim: C, linear: project = linear } = inner;
  const expert = feedForward({ ...inner, hiddenDim });
  return {
    init: (seed: number): Pick<MixtureOfExpertsParams, "shared" | "sharedGate"> => ({
      shared: expert.init(seed),
      ...(gated && { sharedGate: { weight: mul(randn([1, C], { seed }), 1 / Math.sqrt(C)) } }),
    }),
    apply(params: MixtureOfExpertsParams, x: Tensor): Tensor {
      checkParams(onApply, params, ["shared.up.weight", ...(gated ? ["sharedGate.weight"] : [])]);
      const y = expert.apply(params.shared!, x);
      const { weight, bias } = params.sharedGate ?? {};
      return gated ? mul(y, sigmoid(project(x, weight!, bias))) : y;
    },
  };
}

const check: Checks = /* @__PURE__ */ checks("mixtureOfExperts");
const onApply: Checks = /* @__PURE__ */ checks("mixtureOfExperts.apply");
const onRoute: Checks = /* @__PURE__ */ checks("mixtureOfExperts.route");
const names: readonly (keyof MixtureOfExpertsConfig)[] = [
  "embedDim",
  "hiddenDim",
  "numExperts",
  "expertsPerToken",
  "normTopKProb",
  "router",
  "shared",
  "activation",
  "gated",
  "gateLimit",
  "bias",
  "linear",
];
