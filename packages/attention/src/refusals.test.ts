// What the public functions refuse, and by which name.
import { isQkvError } from "@qkv/core";
import { cast, full, randn, tensor, zeros, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { casesByTier } from "../../../scripts/tier.mjs";
import * as everything from "./index.js";
import { attention, attentionWeights, tracedAttention } from "./attention.js";
import { alibi } from "./biases/alibi.js";
import { t5Bias } from "./biases/t5-bias.js";
import { additive } from "./heads/additive.js";
import { crossAttention } from "./heads/cross-attention.js";
import { differential } from "./heads/differential.js";
import { groupedQuery } from "./heads/grouped-query.js";
import { luongConcat } from "./heads/luong-concat.js";
import { luongDot } from "./heads/luong-dot.js";
import { luongGeneral } from "./heads/luong-general.js";
import { multiHead } from "./heads/multi-head.js";
import { multiQuery } from "./heads/multi-query.js";
import { outputGate } from "./heads/output-gate.js";
import { perHead } from "./heads/per-head.js";
import { qkNorm } from "./heads/qk-norm.js";
import { summedHeads } from "./heads/summed-heads.js";
import { toGroupedQuery } from "./heads/to-grouped-query.js";
import { defineMask } from "./mask.js";
import { and } from "./masks/and.js";
import { bigBird } from "./masks/big-bird.js";
import { blockSparse } from "./masks/block-sparse.js";
import { causal } from "./masks/causal.js";
import { chunked } from "./masks/chunked.js";
import { describe } from "./masks/describe.js";
import { documents } from "./masks/documents.js";
import { maskMod } from "./masks/mask-mod.js";
import { maskTensor } from "./masks/mask-tensor.js";
import { padding } from "./masks/padding.js";
import { slidingWindow } from "./masks/sliding-window.js";
import { windowFromHuggingFace } from "./masks/window-from.js";
import { plainAttention } from "./plain-attention.js";
import { dynamicNtk } from "./positions/dynamic-ntk.js";
import { learnedPositions } from "./positions/learned-positions.js";
import { llama3Scaling } from "./positions/llama3-scaling.js";
import { llama4Temperature } from "./positions/llama4-temperature.js";
import { longRope } from "./positions/long-rope.js";
import { rope } from "./positions/rope.js";
import { halfToInterleaved } from "./positions/rotary-layouts.js";
import { rotate } from "./positions/rotate.js";
import { sinusoidal } from "./positions/sinusoidal.js";
import { xpos } from "./positions/xpos.js";
import { yarn } from "./positions/yarn.js";
import { scoreModFunction } from "./score-mod.js";

const functions = everything as unknown as Readonly<Record<string, (...args: unknown[]) => unknown>>;
const x = randn([1, 2, 3, 4], { seed: 1 });
const rows = randn([1, 3, 8], { seed: 1 });

/** The error of a call. It must be one of ours and name the function that was called. */
function refusal(fn: string, call: () => unknown): { name: string; message: string; argument?: string } {
  try {
    call();
  } catch (error) {
    expect(isQkvError(error), `${fn}: ${String((error as Error).stack)}`).toBe(true);
    expect((error as { fn?: string }).fn, String(error)).toBe(fn);
    return error as Error;
  }
  throw new Error(`${fn} took it: ${String(call)}`);
}

const wrong: readonly unknown[] = [
  undefined,
  null,
  "text",
  5,
  -1,
  1.5,
  NaN,
  Infinity,
  true,
  [],
  [1, 2],
  ["a"],
  {},
  { unknown: 1 },
  () => undefined,
  Promise.resolve(x),
  new Map(),
  10n,
  Symbol("s"),
  x,
  rows,
  tensor(1),
  zeros([0, 2, 3, 4]),
  cast(x, "int32"),
  full([2, 2], 1, { dtype: "float64" }),
];

/** Functions that take no argument, as their text says, have nothing to refuse. */
const takesNothing = (fn: string): boolean => /^(function \w*\(\)|\(\) =>)/.test(String(functions[fn]));

test.each(Object.keys(functions))("%s throws typed errors that name it, for any arguments", (fn) => {
  const calls: unknown[][] = [[]];
  for (const a of wrong) {
    calls.push([a], [a, a], [a, a, a], [a, a, a, a]);
    for (const b of casesByTier(wrong, (b) => b === x || b === undefined || b === null))
      calls.push([a, b], [x, a, b], [rows, a, b], [x, x, a, b], [x, x, x, a], [a, x, x, b]);
  }
  let refused = 0;
  for (const args of calls) {
    try {
      functions[fn]!(...args);
    } catch (error) {
      refused += 1;
      if (isQkvError(error) && error.fn === fn) continue;
      expect.fail(
        `${fn}(${args.map((arg) => String(typeof arg === "object" ? JSON.stringify(arg)?.slice(0, 60) : String(arg))).join(", ")}): ${String((error as Error).stack)}`,
      );
    }
  }
  if (!takesNothing(fn)) expect(refused).toBeGreaterThan(0);
});

const layer = { embedDim: 8, numHeads: 2 };
const score = randn([4, 2], { seed: 1 });
const optionTakers: Readonly<Record<string, (options: never) => unknown>> = {
  attention: (options) => attention(x, x, x, options),
  attentionWeights: (options) => attentionWeights(x, x, options),
  tracedAttention: (options) => tracedAttention(x, x, x, options, ["weights"]),
  plainAttention: (options) => plainAttention(x, { key: [x], value: [x], positions: { start: 0 } }, options),
  causal,
  bigBird,
  maskMod: (options) => maskMod(() => true, options),
  defineMask: (options: object) => defineMask({ name: "own", sees: () => true, ...options }),
  describe: (options: object) => describe(causal(), { queryLength: 2, keyLength: 2, ...options }),
  slidingWindow: (options: object) => slidingWindow({ before: 1, ...options }),
  windowFromHuggingFace: (options) => windowFromHuggingFace(4, options),
  t5Bias: (options) => t5Bias(randn([32, 2], { seed: 1 }), options),
  scoreModFunction: (options) => scoreModFunction((s) => s, options),
  rope: (options: object) => rope({ headDim: 4, ...options }),
  xpos: (options: object) => xpos({ headDim: 4, ...options }),
  yarn: (options: object) => yarn({ factor: 2, originalLength: 8, ...options }),
  dynamicNtk: (options: object) => dynamicNtk({ factor: 2, originalLength: 8, ...options }),
  llama3Scaling,
  longRope: (options: object) =>
    longRope({ shortFactors: [1], longFactors: [1], factor: 2, originalLength: 8, ...options }),
  rotate: (options) => rotate(x, zeros([3, 2]), zeros([3, 2]), options),
  sinusoidal: (options) => sinusoidal(2, 4, options),
  halfToInterleaved: (options: object) => halfToInterleaved(score, { headDim: 2, ...options }),
  learnedPositions: (options: object) => learnedPositions({ length: 4, embedDim: 8, ...options }),
  qkNorm: (options) => qkNorm("rms", options),
  outputGate: (options) => outputGate("headwise", options),
  differential,
  llama4Temperature,
  multiHead: (options: object) => multiHead({ ...layer, ...options }),
  multiQuery: (options: object) => multiQuery({ ...layer, ...options }),
  groupedQuery: (options: object) => groupedQuery({ ...layer, numKvHeads: 1, ...options }),
  crossAttention: (options: object) => crossAttention({ ...layer, ...options }),
  perHead: (options: object) => perHead({ ...layer, numKvHeads: 1, ...options }),
  summedHeads: (options: object) => summedHeads({ ...layer, ...options }),
  additive: (options: object) => additive({ queryDim: 2, keyDim: 2, hiddenDim: 2, ...options }),
  luongConcat: (options: object) => luongConcat({ queryDim: 2, keyDim: 2, hiddenDim: 2, ...options }),
  luongGeneral: (options: object) => luongGeneral({ queryDim: 2, keyDim: 2, ...options }),
  luongDot: (options) => luongDot(rows, rows, rows, options),
};
// Objects that are needed are spread above; these take theirs as it is.
const whole = [
  "attention",
  "attentionWeights",
  "tracedAttention",
  "plainAttention",
  "causal",
  "bigBird",
].concat(
  ["maskMod", "windowFromHuggingFace", "t5Bias", "scoreModFunction", "llama3Scaling", "rotate"],
  ["sinusoidal", "qkNorm", "luongDot", "outputGate", "differential", "llama4Temperature"],
);

test.each(Object.keys(optionTakers))("%s refuses options that it does not have", (fn) => {
  const call = optionTakers[fn]!;
  expect(() => call({} as never)).not.toThrow();
  const { argument, message } = refusal(fn, () => call({ noSuchOption: 1 } as never));
  expect(argument).toBe("noSuchOption");
  expect(message).toMatch(/`noSuchOption` is 1, expected one of the options .*\nFix: leave it out/);
  if (!whole.includes(fn)) return;
  for (const value of [null, 1, "text", true, [causal()], x, new Map(), () => 1, Promise.resolve({})])
    refusal(fn, () => call(value as never));
});

test("for option names of other libraries, the error suggests ours", () => {
  expect(refusal("attention", () => attention(x, x, x, { isCausal: true } as never)).message).toBe(
    "attention: `isCausal` is true, expected one of the options mask, bias, scoreMod, weightMod, sinks, dropout, scale, softcap.\nFix: write `mask: causal()`.",
  );
  expect(refusal("attention", () => attention(x, x, x, { attn_mask: causal() } as never)).message).toMatch(
    /Fix: write `mask`/,
  );
  expect(refusal("multiHead", () => multiHead({ ...layer, batchFirst: true } as never)).argument).toBe(
    "batchFirst",
  );
  for (const [fn, make] of Object.entries({ multiHead, multiQuery })) {
    const { argument, message } = refusal(fn, () => make({ ...layer, numKvHeads: 1 } as never));
    expect(argument).toBe("numKvHeads");
    expect(message).toMatch(/Fix: choose the number of key-value heads with `groupedQuery`/);
  }
  expect(refusal("attention", () => attention(x, x, x, { dropout: { p: 0.1 } } as never)).argument).toBe("p");
  expect(refusal("rope", () => rope({ headDim: 4, layout: "neox" as never })).message).toMatch(
    /`layout` is "neox", expected "half" or "interleaved".\nFix: write "half" for NeoX style .* and "interleaved" for GPT-J style/,
  );
  refusal("xpos", () => xpos({ headDim: 4, layout: "neox" as never }));
});

test("after a KeyValues argument, options are the third argument, and a fourth one is refused", () => {
  const held = { key: [x], value: [x], positions: { start: 0 } };
  const { message } = refusal("attention", () =>
    attention(x, held as never, undefined as never, { mask: causal() }),
  );
  expect(message).toMatch(
    /expected options as third argument.\nFix: .* write `attention\(query, keyValues, options\)`/,
  );
  refusal("attention", () => attention(x, held as never, x as never, { mask: causal() }));
  refusal("tracedAttention", () =>
    tracedAttention(x, held as never, undefined as never, { mask: causal() } as never, ["lse"] as never),
  );
  refusal("attention", () => attention(x, held, null as never));
  expect(attention(x, held, undefined).shape).toEqual([1, 2, 3, 4]);
});

test("null, false and 0 are refused as options; only undefined means none", () => {
  for (const option of ["mask", "bias", "scoreMod", "weightMod", "sinks", "dropout"]) {
    for (const value of [null, false, 0, ""])
      refusal("attention", () => attention(x, x, x, { [option]: value } as never));
    expect(attention(x, x, x, { [option]: undefined } as never).data).toEqual(attention(x, x, x).data);
  }
});

test("numbers that would make all scores NaN are refused", () => {
  for (const value of [NaN, Infinity, "1", null]) {
    for (const option of ["scale", "softcap"]) {
      refusal("attention", () => attention(x, x, x, { [option]: value } as never));
      refusal("multiHead", () => multiHead({ ...layer, [option]: value } as never));
    }
    refusal("qkNorm", () => qkNorm("rms", { eps: value as never }));
    refusal("rope", () => rope({ headDim: 4 }).apply(x, { start: value as never }));
    refusal("attention", () => attention(x, { key: [x], value: [x], positions: { start: value as never } }));
    refusal("yarn", () => yarn({ factor: 2, originalLength: 8, mscale: value as never }));
    refusal("learnedPositions", () =>
      learnedPositions({ length: 8, embedDim: 8 }).apply({ weight: zeros([8, 8]) }, rows, {
        positions: { start: value as never },
      }),
    );
  }
  refusal("qkNorm", () => qkNorm("l2", { eps: -1 }));
  refusal("attention", () => attention(x, { key: [x], value: [x], positions: { start: -1 } }));
  for (const positions of [undefined, null, 3, "0", {}, [0, 1], Float64Array.of(0, NaN, 2)])
    refusal("rope", () => rope({ headDim: 4 }).apply(x, positions as never));
});

test("invalid configurations are refused when the layer is created, with the name of its function", () => {
  const makers = { multiHead, multiQuery, groupedQuery, crossAttention, perHead, summedHeads };
  for (const [fn, make] of Object.entries(makers)) {
    const of = (config: object) => () =>
      (make as (config: unknown) => unknown)({
        ...layer,
        ...((fn === "groupedQuery" || fn === "perHead") && { numKvHeads: 2 }),
        ...config,
      });
    expect(of({})).not.toThrow();
    const values: Record<string, readonly unknown[]> = {
      embedDim: [undefined, null, 0, 1.5, "8", NaN],
      numHeads: [undefined, null, 0, 1.5, "2", NaN, [2]],
      mask: [null, "causal", causal, tensor([[true]])],
      qkNorm: [null, "rms", true],
      sinks: [null, true, zeros([2])],
      scoreMod: [null, "alibi", alibi(3)],
      ...(fn !== "summedHeads" && {
        bias: ["yes", 1],
        linear: [null, 1],
        headDim: [0, 1.5, NaN],
        contextDim: [0, "8"],
      }),
      ...(fn !== "crossAttention" && { rope: [null, true, { headDim: 4 }] }),
    };
    for (const [option, list] of Object.entries(values))
      for (const value of list) refusal(fn, of({ [option]: value }));
  }
});

test("a layer refuses missing weights, swapped arguments and unknown options", () => {
  const one = multiHead(layer);
  const params = one.init(1);
  for (const given of [
    undefined,
    null,
    {},
    5,
    { ...params, output: undefined },
    { ...params, key: {} },
    rows,
  ])
    expect(refusal("apply", () => one.apply(given as never, rows)).message).toMatch(
      /^apply: `params.\w+` is .*, expected \{ weight \}.*\nFix: take the params of `layer.init\(seed\)`/,
    );
  expect(refusal("apply", () => one.apply(rows as never, params as never)).argument).toBe("x");
  for (const given of [undefined, null, 5, "x", [1], x])
    refusal("apply", () => one.apply(params, given as never));
  expect(refusal("apply", () => one.apply(params, rows, { position: 3 } as never)).message).toMatch(
    /Fix: write `positions`/,
  );
  refusal("apply", () => one.apply(params, rows, causal() as never));
  refusal("keyValues", () => one.keyValues({} as never, rows));
  const cross = crossAttention(layer);
  refusal("crossAttention", () => cross.apply(params, rows, null as never));
  refusal("crossAttention", () => cross.apply(params, rows, rows, { positions: { start: 0 } } as never));
  const heads = perHead({ ...layer, numKvHeads: 2 });
  refusal("apply", () => heads.apply({} as never, rows));
  refusal("apply", () => heads.apply(heads.init(1), rows, { mask: causal() } as never));
  refusal("apply", () => summedHeads(layer).apply({} as never, rows));
  refusal("apply", () => summedHeads(layer).apply(summedHeads(layer).init(1), null as never));
  const rowLayers = {
    additive: additive({ queryDim: 8, keyDim: 8, hiddenDim: 4 }),
    luongConcat: luongConcat({ queryDim: 8, keyDim: 8, hiddenDim: 4 }),
    luongGeneral: luongGeneral({ queryDim: 8, keyDim: 8 }),
  };
  for (const [fn, { init, apply }] of Object.entries(rowLayers)) {
    const call = apply as (...args: unknown[]) => Tensor;
    expect(call(init(1), rows, rows, rows).shape).toEqual([1, 3, 8]);
    for (const given of [undefined, null, {}, rows]) refusal(fn, () => call(given, rows, rows, rows));
    refusal(fn, () => call(init(1), rows, rows, rows, { scale: 1 }));
    refusal(fn, () => call(init(1), rows, null, rows));
  }
  for (const sizes of [undefined, null, {}, { numHeads: 2 }, { numHeads: 2, numKvHeads: "1" }, { heads: 2 }])
    refusal("toGroupedQuery", () => toGroupedQuery(params, sizes as never));
});

test("a trace with unknown names or without `tensors` is refused, and the error names the called function", () => {
  const rowsLayer = additive({ queryDim: 8, keyDim: 8, hiddenDim: 4 });
  const calls: Record<string, readonly ((trace: never) => unknown)[]> = {
    apply: [multiHead(layer), perHead({ ...layer, numKvHeads: 2 }), summedHeads(layer)].map(
      (one) => (trace: never) =>
        (one as typeof one & { apply: (...args: unknown[]) => unknown }).apply(one.init(1), rows, { trace }),
    ),
    additive: [(trace) => rowsLayer.apply(rowsLayer.init(1), rows, rows, rows, { trace })],
    luongDot: [(trace) => luongDot(rows, rows, rows, { trace })],
  };
  for (const [fn, list] of Object.entries(calls)) {
    for (const call of list) {
      const tensors: Record<string, Tensor> = {};
      call({ names: ["weights"], tensors } as never);
      expect(Object.keys(tensors)).toEqual(["weights"]);
      const { argument, message } = refusal(fn, () => call({ names: ["wieghts"], tensors } as never));
      expect(argument).toBe("trace.names");
      expect(message).toMatch(
        /`trace.names` is "wieghts", expected names among weights, … \(the reference of `Trace` lists all 9\)\./,
      );
      for (const trace of [null, 5, {}, { names: "weights", tensors }, { names: ["weights"] }])
        refusal(fn, () => call(trace as never));
    }
  }
});

test("masks with a list per sequence or head refuse a query with another number of them", () => {
  const y = randn([2, 2, 3, 4], { seed: 1 });
  const bools = (...shape: number[]) => cast(full(shape, 1), "bool");
  const masks = {
    padding: padding([3, 3, 3]),
    documents: documents([
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]),
    causal: causal({ offset: [0, 0, 0] }),
    maskTensor: maskTensor(bools(3, 1, 3, 3)),
    blockSparse: blockSparse(bools(3, 3, 3), 1),
  };
  for (const [fn, mask] of Object.entries(masks)) {
    refusal(fn, () => attention(y, y, y, { mask }));
    refusal(fn, () => attention(y, y, y, { mask: and(chunked(2), mask) }));
  }
  refusal("maskTensor", () => attention(y, y, y, { mask: maskTensor(bools(1, 3, 3, 3)) }));
});

test("a batch size of 0 gives an empty output, and zero heads are refused", () => {
  const none = zeros([0, 2, 3, 4]);
  expect(attention(none, none, none, { mask: causal() }).shape).toEqual([0, 2, 3, 4]);
  refusal("attention", () => attention(zeros([1, 0, 3, 4]), zeros([1, 0, 3, 4]), zeros([1, 0, 3, 4])));
});

test.each<[string, (mask: never) => unknown]>([
  ["attention", (mask) => attention(x, x, x, mask)],
  ["attentionWeights", (mask) => attentionWeights(x, x, mask)],
  ["plainAttention", (mask) => plainAttention(x, x, x, mask)],
])("%s refuses a mask in place of the options", (fn, call) => {
  const { message, argument } = refusal(fn, () => call(slidingWindow(2) as never));
  expect(argument).toBe("options");
  expect(message).toMatch(
    /`options` is "slidingWindow\(2\)", expected options, which hold it\.\nFix: write `\{ mask: slidingWindow\(2\) \}`\.$/,
  );
});
