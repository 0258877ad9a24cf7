import { checks, sizeOf, type Checks, knownNames } from "@qkv/core";
import type { Cache, LayerState } from "@qkv/attention-contract";
import {
  add,
  checkTensor,
  linear,
  mul,
  ones,
  permute,
  randn,
  reshape,
  rmsNorm,
  silu,
  splitSeed,
  uniform,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import { checkParams, checkTrace, recordHeads, type Trace } from "../heads/attend-heads.js";
import { checkWide } from "../heads/check-wide.js";
import type { LinearParams } from "../heads/grouped-query.js";
import type { Positions } from "../positions/places-of.js";
import { convolveTokens } from "./convolve-tokens.js";
import { impliedWeights } from "./implied-weights.js";
import type { InputMap } from "./input-maps.js";
import { headsFirst, layerInputs, type LayerInput } from "./layer-inputs.js";
import { mix, type MixOptions } from "./mix.js";
import { checkMixer, type Mixer } from "./mixer.js";
import type { OwnFormMixer } from "./own-form-mixer.js";
import { paddedTokens, type DocumentIds } from "./resets.js";
import type { Scan } from "./scan.js";

/** Any mixer: one that is linear in its state, or one with a form of its own. */
export type AnyMixer<Name extends string = string> = Mixer<Name, string> | OwnFormMixer<Name, string, object>;

/** Configuration of a layer with a mixer. */
export type MixerLayerConfig<Name extends string = string> = {
  /** C, the width of the model. */
  embedDim: number;
  /** H, the number of heads of values and gates. */
  numHeads: number;
  /** Such as `gatedDeltaRule()`: the layer projects x to the inputs that it names. */
  mixer: AnyMixer<Name>;
  /** Heads of queries and keys, a divisor of H; each serves neighbouring heads. Default: H. */
  numKeyHeads?: number;
  /** K, numbers of a query and of a key. Default: C / H. */
  keyDim?: number;
  /** V, numbers of a value. Default: C / H. */
  valueDim?: number;
  /** Lengths of other axes that the mixer names, by letter: `{ N: 3 }`, the taps of a short convolution. */
  axes?: Readonly<Record<string, number>>;
  /**
   * Functions from a projection to an input, by the input's name: `{ beta: sigmoid, decay: logSigmoidDecay() }`. An
   * optional input of the mixer is given when it is listed. Default: `softplusDecay()` for `decay`, `sigmoid` for `beta`
   * and its kin, and unit norm for queries and keys of mixers that erase.
   */
  inputs?: Readonly<Record<string, InputMap>>;
  /**
   * Taps of a causal convolution over queries, keys and values, each channel on its own, and SiLU after it: 4 in Mamba and
   * Gated DeltaNet. Default: none.
   */
  convolution?: number;
  /** Adds a bias after the taps. Default false. */
  convolutionBias?: boolean;
  /** Source of the other inputs: x, or `value`, after its convolution, as in Mamba. Default `x`. */
  projectFrom?: "x" | "value";
  /** Projections through fewer numbers, by the input's name: `{ deltaTime: 4 }`, as in Mamba. Default: none. */
  ranks?: Readonly<Record<string, number>>;
  /** Functions of these fewer numbers, by the input's name, as the norm in Jamba. Default: none. */
  rankMaps?: Readonly<Record<string, InputMap>>;
  /** Adds the value to the output of its head, times a learned number: D of Mamba. Default false. */
  skip?: boolean;
  /**
   * RMS norm of the outputs: of each head, of heads that share a key (`group`), or of all together. Default: `head`;
   * `whole` where V is 1.
   */
  outputNorm?: "head" | "group" | "whole" | "none";
  /** Added to the mean square in the norm. Default 1e-5. */
  normEps?: number;
  /** Activation of a gate that multiplies the outputs: `silu`, `sigmoid`. Default: no gate. */
  outputGate?: (x: Tensor) => Tensor;
  /** Order of gate and norm: Mamba-2 gates `beforeNorm`. Default `afterNorm`. */
  gatePlace?: "beforeNorm" | "afterNorm";
  /** Adds biases to projections: to all, or only to those of `inputs`, the gate's too, or of the `output`. Default false. */
  bias?: boolean | "inputs" | "output";
  /** Form of a mixer that is linear in its state. Default `chunkwise()`. */
  form?: Scan;
  /** Computes projections. Default: `linear` of @qkv/tensor. */
  linear?: typeof linear;
};

/**
 * Weights of one input: a projection `[heads · width, C]`, and what its map learns, or a learned tensor, `value`. A
 * projection of rank r is `down` `[r, C]`, then `weight` `[heads · width, r]`.
 */
export type MixerInputParams = Readonly<Record<string, Tensor>>;

/** Weights of a layer with a mixer: those of each input by its name, and what follows the mixer. */
export type MixerLayerParams<Name extends string = string> = Record<Name, LinearParams & MixerInputParams> & {
  /** Taps by input, `[heads · width, 1, N]`. */
  convolution?: Readonly<Record<string, LinearParams>>;
  /** D, `[H]`. */
  skip?: { weight: Tensor };
  /** `[V]`, or `[H · V]` where heads are normalized together. */
  outputNorm?: { weight: Tensor };
  /** `[H · V, C]` */
  outputGate?: LinearParams;
  /** `[C, H · V]` */
  output: LinearParams;
};

/** Options of a call of a layer with a mixer. */
export type MixerLayerOptions = {
  /** Holds the state after earlier tokens; this call's replaces it. Default: no cache. */
  cache?: Cache;
  /** Layer of the cache. Default 0. */
  layer?: number;
  /** Taken, and not used: the order of tokens is that of the recurrence. */
  positions?: Positions;
  /** Document of each token, `[T]` or `[B][T]`: the state starts again with each. Default: one document. */
  documents?: DocumentIds;
  /** Number of real tokens of each sequence, `[B]`. Later tokens are padding, which does not change the state. Default: all are real. */
  padding?: ArrayLike<number>;
  /** Collects `heads`, `[B, H, T, V]`, the outputs of the mixer. Default: nothing is traced. */
  trace?: Trace;
};

/** A layer with a mixer: created from its configuration. It holds no weights: params are passed to each call. */
export type MixerLayer<Name extends string = string> = {
  /** The name of its mixer. */
  readonly name: string;
  readonly config: MixerLayerConfig<Name>;
  /** A cache holds a state for it, and no keys and values. */
  readonly recurrent: true;
  /** Random weights: normal with variance 1 / fan-in; biases 0, gains 1; gates as their maps begin. */
  init(seed: number): MixerLayerParams<Name>;
  /** `[B, T, C]` to `[B, T, C]`. */
  apply(params: MixerLayerParams<Name>, x: Tensor, options?: MixerLayerOptions): Tensor;
  /**
   * The attention map that the layer implies for x `[B, T, C]`, from a state of zeros: weights `[B, H, T, T]` and the values
   * `[B, H, T, V]` whose product is `heads`. Where a gate is per value channel, weights are `[B, H, V, T, T]`. Refused by mixers
   * whose output is not linear in their values.
   */
  impliedWeights(
    params: MixerLayerParams<Name>,
    x: Tensor,
    options?: Pick<MixerLayerOptions, "documents" | "padding">,
  ): { weights: Tensor; value: Tensor };
  /** The same layer with other products: for weights of 8 and 4 bits. */
  withLinear(map: typeof linear): MixerLayer<Name>;
};

/**
 * A layer that has a mixer in place of softmax attention, as `multiHead` has a mask: x is projected to the inputs that
 * the mixer names, mixed, normalized, gated if asked for, and projected back. With a cache, a token costs the same after a
 * million others as after one.
 *
 * The layer of Gated DeltaNet has `gatedDeltaRule()`, `convolution: 4` and `outputGate: silu`; that of LFM2
 * `shortConvolution()` and `axes: { N: 3 }`; that of Mamba-2 `ssd()`, `numKeyHeads: 1`, `convolution: 4`, `skip: true`,
 * `outputNorm: "whole"`, `outputGate: silu` and `gatePlace: "beforeNorm"`; that of Mamba `selectiveScan()`, a head for each
 * channel and `projectFrom: "value"`.
 *
 * @throws {ArgumentError} If a size is not an integer of at least 1, heads do not divide, or the mixer names an input
 *   or an axis that the layer cannot make. From `apply`, if x is not as wide as the layer, or an option is for keys.
 * @see "Gated Delta Networks" (2024), arXiv:2412.06464, section 3.4; "Transformers are SSMs" (2024), arXiv:2405.21060
 *
 * @example
 * ```ts
 * import { randn, silu } from "@qkv/tensor";
 * import { gatedDeltaRule, mixerLayer } from "@qkv/attention";
 *
 * const layer = mixerLayer({
 *   embedDim: 16, numHeads: 2, mixer: gatedDeltaRule(), convolution: 4, outputGate: silu,
 * });
 * const params = layer.init(1);
 * Object.keys(params).slice(0, 5); // => ["query", "key", "value", "decay", "beta"]
 * layer.apply(params, randn([1, 5, 16], { seed: 2 })).shape; // => [1, 5, 16]
 * ```
 */
export function mixerLayer<Name extends string>(config: MixerLayerConfig<Name>): MixerLayer<Name> {
  const options = check.options(config, configNames, "config");
  const { embedDim: C, numHeads: H, mixer, bias = false, linear: map = linear, form, outputGate } = options;
  checkMixer("mixerLayer", mixer);
  check.whole({ embedDim: C, numHeads: H }, { min: 1 });
  const width = C / H;
  const { numKeyHeads = H, keyDim: K = width, valueDim: V = width, convolution, axes = {} } = options;
  const fix = "choose numHeads to divide embedDim, or give the size.";
  check.whole({ keyDim: K, valueDim: V }, { min: 1, unit: "elements", fix });
  check.whole({ numKeyHeads }, { min: 1, unit: "heads" });
  check.each(
    { numKeyHeads },
    () => H % numKeyHeads === 0,
    `a divisor of numHeads = ${H}`,
    "share keys evenly.",
  );
  if (convolution !== undefined) check.whole({ convolution }, { min: 1, unit: "tokens" });
  const { outputNorm = V === 1 ? "whole" : "head", gatePlace = "afterNorm", normEps: eps = 1e-5 } = options;
  const { projectFrom = "x", ranks = {}, skip = false, convolutionBias = false } = options;
  check.oneOf({ outputNorm }, ["head", "group", "whole", "none"]);
  check.oneOf({ gatePlace }, ["beforeNorm", "afterNorm"]);
  check.oneOf({ projectFrom }, ["x", "value"]);
  check.finite({ normEps: eps }, { min: 0 });
  check.type({ skip, convolutionBias }, "boolean");
  if (outputNorm === "head") {
    const fix = 'give "whole": one number divided by its own size is its sign.';
    check.each({ outputNorm }, () => V > 1, '"whole" or "none", as valueDim is 1', fix);
  }
  const biasOptions: readonly unknown[] = [true, false, "inputs", "output"];
  check.each(
    { bias },
    (value) => biasOptions.includes(value),
    'true, false, "inputs" or "output"',
    "leave it out for none.",
  );
  check.type({ linear: map, ...(form && { form }), ...(outputGate && { outputGate }) }, "function");
  for (const [letter, length] of Object.entries(axes))
    check.whole({ [`axes.${letter}`]: length }, { min: 1 });
  const inputs = layerInputs(check, mixer, {
    axes: { ...axes, H, K, V },
    numKeyHeads,
    maps: options.inputs ?? {},
  });
  // Outputs are as wide as values: V, or K where a mixer has one width.
  const outWidth = H * inputs.find(({ name }) => name === "value")!.shape.at(-1)!;
  const projected = inputs.filter(({ kind }) => kind === "projected");
  for (const [name, rank] of Object.entries(ranks)) {
    const isInput = () => projected.some((input) => input.name === name);
    const expected = `ranks of ${knownNames(
      name,
      projected.map((input) => input.name),
      `the definition of ${mixer.name}`,
    )}, the projections`;
    check.each({ ranks: name }, isInput, expected, "name a projection.");
    check.whole({ [`ranks.${name}`]: rank }, { min: 1 });
  }
  const { rankMaps = {} } = options;
  for (const [name, rankMap] of Object.entries(rankMaps)) {
    const fix = "give a function of tensors to an input in `ranks`.";
    const isMap = () => Object.hasOwn(ranks, name) && isInputMap(rankMap);
    check.each({ [`rankMaps.${name}`]: rankMap }, isMap, "a map of an input in `ranks`", fix);
  }
  // Width of what an input is projected from.
  const from = (name: string): number => (projectFrom === "x" || name === "value" ? C : outWidth);
  const groups = { head: H, group: numKeyHeads, whole: 1, none: 1 }[outputNorm];
  const normalize = (rows: Tensor, gain: Tensor): Tensor => {
    const parts =
      groups === 1 ? rows : reshape(rows, [...rows.shape.slice(0, -1), groups, outWidth / groups]);
    if (outputNorm !== "group" || groups === 1) return reshape(rmsNorm(parts, gain, { eps }), rows.shape);
    const even = ones([outWidth / groups], { dtype: rows.dtype, device: rows.device });
    return mul(reshape(rmsNorm(parts, even, { eps }), rows.shape), gain);
  };
  const isConvolved = (name: string) =>
    projectFrom === "value" ? name === "value" : mainInputs.includes(name);
  const convolved = convolution === undefined ? [] : projected.filter(({ name }) => isConvolved(name));
  const make = (seed: number, out: number, inner: number, of: "inputs" | "output"): LinearParams => ({
    weight: mul(randn([out, inner], { seed }), 1 / Math.sqrt(inner)),
    ...((bias === true || bias === of) && { bias: zeros([out]) }),
  });

  /** Inputs of the mixer, and what its convolutions hold after these tokens. */
  const computeInputs = (
    params: MixerLayerParams<Name>,
    x: Tensor,
    {
      previous,
      documents,
      padding,
    }: {
      previous: LayerState | undefined;
      documents: DocumentIds | undefined;
      padding: ArrayLike<number> | undefined;
    },
  ): { mixed: Record<string, Tensor>; convolutions: Record<string, Tensor> } => {
    const [B, T] = x.shape as [number, number, number];
    const convolutions: Record<string, Tensor> = {};
    const projectFromSource = (name: string, source: Tensor): Tensor => {
      const inputParams: LinearParams & MixerInputParams = params[name as Name];
      const { weight, bias, down } = inputParams;
      const between = rankMaps[name];
      const lowRank = down ? mapped(between, map(source, down), inputParams) : source;
      const rows = map(lowRank, weight, bias);
      const taps = params.convolution?.[name];
      if (!taps) return rows;
      const stateName = `${name}Convolution`;
      const past = { state: previous?.[stateName], documents, padding };
      const { output, state } = convolveTokens(rows, taps.weight, past);
      convolutions[stateName] = state;
      return silu(taps.bias ? add(output, taps.bias) : output);
    };
    const values = projectFromSource("value", x);
    const source = projectFrom === "x" ? x : values;
    const project = (name: string): Tensor => (name === "value" ? values : projectFromSource(name, source));
    const mixerInput = (input: LayerInput): Tensor => {
      const inputParams: MixerInputParams = params[input.name as Name];
      if (input.kind === "learned") return input.learned.apply(learnedTensor(input.name, inputParams));
      const rows = reshape(project(input.name), [B, T, ...input.shape]);
      return headsFirst(mapped(input.map, rows, inputParams), input);
    };
    const mixed = Object.fromEntries(inputs.map((input) => [input.name, mixerInput(input)]));
    return { mixed, convolutions };
  };

  return {
    name: mixer.name,
    config,
    recurrent: true,
    withLinear: (map) => mixerLayer({ ...config, linear: map }),
    init(seed) {
      const seeds = splitSeed(seed, [
        ...inputs.map(({ name }) => name),
        "convolution",
        "outputGate",
        "output",
      ]);
      const tapSeeds = splitSeed(seeds["convolution"]!, convolved.length);
      const initInput = (input: LayerInput): MixerInputParams => {
        const inputSeed = seeds[input.name]!;
        if (input.kind === "learned") return { value: input.learned.init(input.shape, inputSeed) };
        const [projection, learned] = splitSeed(inputSeed, 2) as [number, number];
        const [width, rank, between] = [from(input.name), ranks[input.name], rankMaps[input.name]];
        return {
          ...make(projection, sizeOf(input.shape), rank ?? width, "inputs"),
          ...(rank !== undefined && { down: make(-projection - 1, rank, width, "inputs").weight }),
          ...(typeof between === "object" && between.init([rank!], -learned - 1)),
          ...(typeof input.map === "object" && input.map.init(input.shape, learned)),
        };
      };
      return {
        ...Object.fromEntries(inputs.map((input) => [input.name, initInput(input)])),
        ...(convolution !== undefined && {
          convolution: Object.fromEntries(
            convolved.map(({ name, shape }, i) => {
              const most = 1 / Math.sqrt(convolution);
              const range = { seed: tapSeeds[i]!, low: -most, high: most };
              const weight = uniform([sizeOf(shape), 1, convolution], range);
              return [name, { weight, ...(convolutionBias && { bias: zeros([sizeOf(shape)]) }) }];
            }),
          ),
        }),
        ...(skip && { skip: { weight: ones([H]) } }),
        ...(outputNorm !== "none" && {
          outputNorm: { weight: ones([outputNorm === "head" ? outWidth / H : outWidth]) },
        }),
        ...(outputGate && { outputGate: make(seeds["outputGate"]!, outWidth, C, "inputs") }),
        output: make(seeds["output"]!, C, outWidth, "output"),
      } as MixerLayerParams<Name>;
    },
    apply(params, x, options) {
      refuseMask(options);
      const { cache, layer = 0, documents, padding, trace } = onApply.options(options, callNames);
      checkTrace(onApply, trace);
      refuseScores(mixer.name, trace);
      checkWide(x, C);
      const needed = ["output", ...(skip ? ["skip"] : [])] as (keyof MixerLayerParams<Name>)[];
      checkParams("apply", params, [...projected.map(({ name }) => name as Name), ...needed]);
      const [B, T] = x.shape as [number, number, number];
      if (padding !== undefined) paddedTokens(padding, B, T);
      const previous = cache?.state(layer);
      const { mixed, convolutions } = computeInputs(params, x, { previous, documents, padding });
      const { output, state } = mixAny(mixer, mixed, {
        previous,
        ...(form && { form }),
        ...(documents && { documents }),
        ...(padding && { padding }),
      });
      cache?.advance(layer, { ...state, ...convolutions }, padding ?? T);
      const heads = recordHeads(trace, output); // [B, H, T, V]
      const withSkip = skip
        ? add(heads, mul(mixed["value"]!, reshape(params.skip!.weight, [1, H, 1, 1])))
        : heads;
      const gain = params.outputNorm?.weight;
      const gate = params.outputGate;
      const norm = (rows: Tensor) => (gain && outputNorm !== "none" ? normalize(rows, gain) : rows);
      const gated = (rows: Tensor) =>
        outputGate && gate ? mul(rows, outputGate(map(x, gate.weight, gate.bias))) : rows;
      const rows = reshape(permute(withSkip, [0, 2, 1, 3]), [B, T, outWidth]);
      const normalized = gatePlace === "beforeNorm" ? norm(gated(rows)) : gated(norm(rows));
      return map(normalized, params.output.weight, params.output.bias);
    },
    impliedWeights(params, x, options) {
      const { documents, padding } = onImplied.options(options, ["documents", "padding"]);
      if ("ownForm" in mixer) {
        const expected = "a mixer whose output is linear in its values, as all are with a linear state";
        const fix = "read `heads` of a trace: this mixer implies no map.";
        return onImplied.refuse({ argument: "config.mixer", received: mixer.name, expected, fix });
      }
      checkWide(x, C);
      checkParams(
        "impliedWeights",
        params,
        projected.map(({ name }) => name as Name),
      );
      const { mixed } = computeInputs(params, x, { previous: undefined, documents, padding });
      const calls = { ...(form && { form }), ...(documents && { documents }), ...(padding && { padding }) };
      return { weights: impliedWeights<string, string>(mixer, mixed, calls), value: mixed["value"]! };
    },
  };
}

const isInputMap = (map: unknown): boolean =>
  typeof map === "function" || typeof (map as { apply?: unknown } | null)?.apply === "function";

/** Rows by a map of an input; undefined: as they are. */
function mapped(map: InputMap | undefined, rows: Tensor, params: MixerInputParams): Tensor {
  if (map === undefined) return rows;
  return typeof map === "function" ? map(rows) : map.apply(rows, params);
}

/** Mixes with the state that a cache holds, and gives the next one as a cache takes it. */
function mixAny(
  mixer: AnyMixer,
  inputs: Readonly<Record<string, Tensor>>,
  { previous, ...options }: MixOptions & { previous: LayerState | undefined },
): { output: Tensor; state: LayerState } {
  if (!("ownForm" in mixer)) {
    const initialState = previous?.["state"];
    const { output, state } = mix(mixer, inputs, { ...options, ...(initialState && { initialState }) });
    return { output, state: { state } };
  }
  // The layer's convolutions are held beside the state of the mixer.
  const initialState =
    previous && Object.fromEntries(Object.keys(mixer.stateAxes).map((name) => [name, previous[name]]));
  const { output, state } = mix(mixer, inputs, { ...options, ...(initialState && { initialState }) });
  return { output, state: state as LayerState };
}

function learnedTensor(name: string, params: MixerInputParams | undefined): Tensor {
  const value = params?.["value"];
  if (value !== undefined) return checkTensor("apply", `params.${name}.value`, value);
  return onApply.refuse({
    argument: `params.${name}`,
    received: params,
    expected: "{ value }, a learned tensor",
    fix: "take the params of `layer.init(seed)`, or load weights in their form; params come first.",
  });
}

/** A state has read a token already when a later one would hide it. */
function refuseMask(options: object | undefined): void {
  const mask = (options as { mask?: unknown } | null | undefined)?.mask;
  if (mask === undefined) return;
  onApply.refuse({
    argument: "mask",
    received: "a mask of keys",
    expected: "none for a layer with a state, which holds no keys",
    fix: "give `documents` or `padding`, at which a state starts again or stays as it is.",
  });
}

function refuseScores(mixer: string, trace: Trace | undefined): void {
  const wrong = trace?.names.find((name) => name !== "heads");
  if (wrong === undefined) return;
  onApply.refuse({
    argument: "trace.names",
    received: wrong,
    expected: `"heads" alone, as ${mixer} has no scores`,
    fix: "see `impliedWeights(mixer, inputs)` for the map that a mixer implies.",
  });
}

/** Inputs that a convolution goes over. */
const mainInputs: readonly string[] = ["query", "key", "value"];

const check: Checks = /* @__PURE__ */ checks("mixerLayer");
const onApply: Checks = /* @__PURE__ */ checks("apply");
const onImplied: Checks = /* @__PURE__ */ checks("impliedWeights");
const callNames = ["cache", "layer", "positions", "documents", "padding", "trace"] as const;
const configNames = [
  "embedDim",
  "numHeads",
  "mixer",
  "numKeyHeads",
  "keyDim",
  "valueDim",
  "axes",
  "inputs",
  "convolution",
  "convolutionBias",
  "projectFrom",
  "ranks",
  "rankMaps",
  "skip",
  "outputNorm",
  "normEps",
  "outputGate",
  "gatePlace",
  "bias",
  "form",
  "linear",
] as const;
