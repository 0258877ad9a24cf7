import { add, cast, linear, mul, randn, reshape, slice, sub, sum, type Tensor } from "@qkv/tensor";
import { randomDecoder } from "@qkv/test-support/random-decoder";
import "@qkv/test-support/allclose";
import { decoder, type DecoderConfig, type FeedForwardParams, type Placement } from "@qkv/transformer";
import { expect, test } from "vitest";
import { inFloat64, type LensModel } from "../lens-model.js";
import { runWithTrace } from "../run-with-trace.js";
import { decomposeResidual } from "./decompose-residual.js";
import { logitParts } from "./logit-parts.js";
import { frozenNorm } from "./norm-parts.js";
import { scoreGraph } from "./score-graph.js";
import { scoreParts } from "./score-parts.js";
import { casesByTier } from "../../../../scripts/tier.mjs";

const ids = [3, 1, 4, 1, 5, 9];
const exact = { rtol: 0, atol: 1e-10 };
const models = (["gpt2", "llama"] as const).map((family) => ({
  family,
  model: inFloat64(randomDecoder(family, { vocabSize: 13 } as never)),
}));

/** The models of both families, with traits that change how a stream or a score is made. */
const variants: readonly [string, DecoderConfig][] = models.flatMap(({ family, model: { config } }) => [
  ...(["pre", "post", "both", "after", "parallel", "parallelShared", "normed"] as Placement[]).map(
    (placement): [string, DecoderConfig] => [
      `${family}, ${placement}`,
      { ...config, placement, residualScale: 0.7 },
    ],
  ),
  [`${family}, gate`, { ...config, attentionGate: "elementwise" }],
  [`${family}, headwise gate`, { ...config, attentionGate: "headwise" }],
  [`${family}, norm of queries and keys`, { ...config, qkNorm: true }],
  [`${family}, norm over heads`, { ...config, qkNorm: "heads" }],
  [`${family}, norm after the rotation`, { ...config, qkNorm: true, qkNormPlace: "afterRope" }],
  [`${family}, norm without a gain`, { ...config, qkNorm: "unit", qkNormPlace: "afterRope" }],
  [`${family}, softcaps`, { ...config, attentionSoftcap: 2, logitSoftcap: 1, logitScale: 0.5 }],
  [`${family}, ALiBi`, { ...config, positions: "alibi" }],
  [`${family}, differential`, { ...config, differential: true }],
  [
    `${family}, temperature`,
    { ...config, queryTemperature: { floorScale: 2, attnScale: 0.5, everywhere: true } },
  ],
  [`${family}, shared keys and values`, { ...config, sharedKeyValues: [0, 0] }],
  [`${family}, LAuReL`, { ...config, laurelRank: 2 }],
  [`${family}, AltUp`, { ...config, altUp: { streams: 2 } }],
  [`${family}, embeddings of each layer`, { ...config, perLayerEmbedding: { dim: 4 }, layerScale: true }],
  [`${family}, experts`, { ...config, experts: { numExperts: 4, expertsPerToken: 2 } }],
]);
const latent = { kvRank: 6, queryRank: 5, nopeDim: 4, ropeDim: 2, valueDim: 3 };
const all: readonly [string, DecoderConfig][] = [
  ...variants,
  ["latent attention", { ...models[1]!.model.config, latent }],
  [
    "latent attention without a latent for queries",
    { ...models[1]!.model.config, latent: { ...latent, queryRank: undefined! } },
  ],
];

/** In the first tier, the traits whose parts are easiest to forget. */
const tested = casesByTier(all, ([name]) =>
  /, (both|gate|norm after the rotation|softcaps|shared keys and values)$/.test(name),
);

/** A decoder of a configuration in float64, with weights large enough that all parts count. */
function modelFor(config: DecoderConfig): LensModel {
  const { latent } = config;
  const given =
    latent && latent.queryRank === undefined ? { ...config, latent: withoutQueryRank(latent) } : config;
  const { init, apply } = decoder(given);
  const params = init(5);
  params.embedding.weight = mul(params.embedding.weight, 30);
  params.layers.forEach(({ attention }, i) => {
    const { queryNorm, keyNorm } = attention ?? {};
    // Gains of their own: a norm with gains of 1 is the same before a rotation and after it.
    for (const gain of [queryNorm, keyNorm])
      if (gain) gain.weight = add(gain.weight, mul(randn(gain.weight.shape, { seed: i + 1 }), 0.3));
  });
  return inFloat64({ config: given, params, apply });
}

function withoutQueryRank({ queryRank: _, ...others }: NonNullable<DecoderConfig["latent"]>) {
  return others;
}

const total = (parts: readonly { value: Tensor }[]) =>
  parts.map(({ value }) => value).reduce((a, b) => add(a, b));

test.each(tested)("%s: parts of the stream sum to it, before each layer and after the last", (_, config) => {
  const model = modelFor(config);
  const { tensors } = runWithTrace(model, ids);
  for (const layer of [0, 1]) {
    expect(total(decomposeResidual(model, ids, { layer }))).toBeAllclose(
      tensors[`layers.${layer}.input`]!,
      exact,
    );
  }
  expect(total(decomposeResidual(model, ids))).toBeAllclose(tensors["finalInput"]!, exact);
  const whole = decomposeResidual(model, ids, { heads: false });
  expect(total(whole)).toBeAllclose(tensors["finalInput"]!, exact);
  const some = decomposeResidual(model, ids, { positions: [4, 1] });
  const rows = (x: Tensor, at: number) => slice(x, 1, at, at + 1).data;
  expect(rows(total(some), 0)).toEqual(rows(total(decomposeResidual(model, ids)), 4));
});

test.each(tested)("%s: parts of a logit, and of a difference of two, sum to it", (_, config) => {
  const model = modelFor(config);
  const { logits } = runWithTrace(model, ids, { names: [] });
  const logit = (position: number, token: number) => logits.data[position * config.vocabSize + token]!;
  for (const options of [{ token: 7 }, { token: 2, minus: 11, position: 3 }, { token: 2, heads: false }]) {
    const { parts, position, token } = logitParts(model, ids, options);
    const expected = logit(position, token) - ("minus" in options ? logit(position, 11) : 0);
    expect(parts.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(expected, 10);
  }
  const best = logitParts(model, ids);
  expect(best.logit).toBe(Math.max(...logits.data.slice(-config.vocabSize)));
});

test.each(tested)("%s: the parts of a head by key sum to the part of the head", (_, config) => {
  const model = modelFor(config);
  for (const options of [{ token: 7 }, { token: 2, minus: 11, position: 3 }]) {
    const whole = logitParts(model, ids, options);
    const split = logitParts(model, ids, { ...options, keys: true });
    const sums = new Map<string, number>();
    for (const { name, value } of split.parts) {
      const source = name.replace(/\.keys\.\d+$/, "");
      sums.set(source, (sums.get(source) ?? 0) + value);
    }
    expect([...sums.keys()]).toEqual(whole.parts.map(({ name }) => name));
    for (const { name, value } of whole.parts) expect(sums.get(name)).toBeCloseTo(value, 10);
    const last = options.position ?? ids.length - 1;
    const later = split.parts.filter(({ key }) => key !== undefined && key > last);
    expect(later.every(({ value }) => Math.abs(value) < 1e-15)).toBe(true);
    if (!config.differential) expect(split.parts.length).toBeGreaterThan(whole.parts.length);
  }
});

test("`keys` without `heads` is refused", () => {
  const [{ model }] = models as [(typeof models)[0]];
  expect(() => logitParts(model, ids, { heads: false, keys: true })).toThrow(
    /logitParts: `keys` is true, expected false, as `heads` is false/,
  );
});

test.each(tested)("%s: parts of a score sum to it", (_, config) => {
  const model = modelFor(config);
  const { tensors } = runWithTrace(model, ids);
  for (const place of [
    { layer: 0, head: 0, query: 5, key: 2 },
    { layer: 1, head: 3, query: 3, key: 3 },
    { layer: 1, head: 1, query: 4, key: 0 },
  ]) {
    const { score, dot, softcap, bias, weight, values, querySources, keySources } = scoreParts(
      model,
      ids,
      place,
    );
    expect(values.shape).toEqual([querySources.length, keySources.length]);
    expect(sum(values).data[0]).toBeCloseTo(dot, 10);
    expect(dot + softcap + bias).toBeCloseTo(score, 10);
    const { layer, head, query, key } = place;
    const traced = tensors[`layers.${layer}.attention.weights`]!;
    const [, , T, S] = traced.shape as [number, number, number, number];
    expect(weight).toBe(traced.data[(head * T + query) * S + key]);
  }
});

test.each(tested)(
  "%s: a graph's sides sum to the score, and children to their node, three steps back",
  (_, config) => {
    const model = modelFor({
      ...config,
      numLayers: 3,
      ...(config.sharedKeyValues && { sharedKeyValues: [0, 0, 0] }),
    });
    const place = { layer: 2, head: 1, query: 4, key: 2 };
    const { dot } = scoreParts(model, ids, place);
    for (const [depth, threshold] of [
      [3, 0],
      [3, 0.1],
      [2, 0],
    ] as const) {
      const { nodes, dot: own } = scoreGraph(model, ids, place, { depth, threshold });
      expect(own).toBe(dot);
      const totalValue = (children: typeof nodes) => children.reduce((sum, { value }) => sum + value, 0);
      for (const side of ["query", "key"] as const)
        expect(
          totalValue(nodes.filter((node) => node.side === side && node.parent === undefined)),
        ).toBeCloseTo(dot, 10);
      for (const { id, value } of nodes) {
        const children = nodes.filter(({ parent }) => parent === id);
        if (children.length > 0) expect(totalValue(children)).toBeCloseTo(value, 10);
      }
      expect(nodes.map(({ id }) => id)).toEqual(nodes.map((_, i) => i));
      expect(nodes.some(({ name }) => name === "others")).toBe(threshold > 0);
      const traced = {
        head: !config.latent && !config.differential,
        feedForward: !config.experts,
      };
      const parents = nodes.filter(({ id }) => nodes.some(({ parent }) => parent === id));
      expect(parents.every(({ kind }) => kind === "head" || kind === "feedForward")).toBe(true);
      for (const kind of ["head", "feedForward"] as const) {
        const own = parents.filter((node) => node.kind === kind);
        if (threshold === 0)
          expect(own.some(({ parent }) => depth === 2 || parent !== undefined)).toBe(traced[kind]);
      }
    }
  },
);

test("the first level of a graph has the parts of the score, the next level those at each position that a head reads", () => {
  const [, { model }] = models as [(typeof models)[0], (typeof models)[0]];
  const place = { layer: 1, head: 0, query: 5, key: 2 };
  const { nodes } = scoreGraph(model, ids, place, { threshold: 0 });
  const { querySources, values } = scoreParts(model, ids, place);
  const S = values.shape[1]!;
  querySources.forEach(({ name }, i) => {
    const part = Array.from(values.data.slice(i * S, (i + 1) * S), Number).reduce((a, b) => a + b, 0);
    const node = nodes.find((one) => one.name === name && one.side === "query" && one.parent === undefined);
    expect(node!.value).toBeCloseTo(part, 10);
  });
  // Token 3 is at position 0 only, so what heads of the first layer read there is their whole path to it.
  const head = nodes.find(({ name, side }) => name === "layers.0.heads.2" && side === "query")!;
  const { tensors } = runWithTrace(model, ids);
  const weights = tensors["layers.0.attention.weights"]!;
  const [, , T, U] = weights.shape as [number, number, number, number];
  const children = nodes.filter(({ parent }) => parent === head.id);
  expect(children.map(({ position }) => position!).sort()).toEqual([0, 1, 2, 3, 4, 5]);
  for (const { position, value } of children)
    if (weights.data[(2 * T + 5) * U + position!]! < 1e-9) expect(value).toBeCloseTo(0, 8);
});

test("a feed-forward layer is traced to the sources of its row, exactly as a matrix product if its activation is linear", () => {
  const [{ model }] = models as [(typeof models)[0]];
  // Sums this small leave GELU at its slope of a half.
  const layers = model.params.layers.map((layer) => {
    const { up, down } = layer.feedForward as FeedForwardParams;
    const feedForward = {
      up: { weight: mul(up.weight, 1e-5), bias: mul(up.bias!, 1e-5) },
      down: { weight: mul(down.weight, 1e5), bias: down.bias! },
    };
    return { ...layer, feedForward };
  });
  const linearModel = { ...model, params: { ...model.params, layers } };
  const { nodes } = scoreGraph(linearModel, ids, { layer: 1, head: 0, query: 5, key: 2 }, { threshold: 0 });
  const whole = nodes.find(({ name, side }) => name === "layers.0.feedForward" && side === "key")!;
  const children = nodes.filter(({ parent }) => parent === whole.id);
  expect(children.every(({ position }) => position === 2)).toBe(true);

  const row = (x: Tensor, at: number) => slice(x, 1, at, at + 1);
  const { tensors } = runWithTrace(linearModel, ids);
  const norm = (layer: number, name: "attentionNorm" | "feedForwardNorm", of: string, x: Tensor) =>
    frozenNorm(model.config, layers[layer]![name], row(tensors[of]!, 2))(x);
  const asked = tensors["layers.1.attention.query"]!; // [1, H, T, D]
  const query = reshape(slice(slice(asked, 1, 0, 1), 2, 5, 6), [1, 1, asked.shape[3]!]);
  const { key } = layers[1]!.attention;
  const D = query.shape.at(-1)!;
  for (const name of ["embedding", "layers.0.heads.3"]) {
    const part = decomposeResidual(linearModel, ids, { layer: 1 }).find((one) => one.name === name)!;
    const { up, down } = layers[0]!.feedForward;
    const read = norm(0, "feedForwardNorm", "layers.0.middle", row(part.value, 2));
    const written = mul(linear(linear(read, up.weight), down.weight), 0.5);
    const keyPart = linear(norm(1, "attentionNorm", "layers.1.input", written), slice(key.weight, 0, 0, D));
    const expected = sum(mul(query, keyPart)).data[0]! / Math.sqrt(D);
    const child = children.find((one) => one.name === name)!;
    expect(child.value / Number(expected)).toBeCloseTo(1, 2);
  }
});

test("with `pair`, the source of each side has the contribution of the pair", () => {
  const [, { model }] = models as [(typeof models)[0], (typeof models)[0]];
  const place = { layer: 1, head: 0, query: 5, key: 2 };
  const { querySources, keySources, values } = scoreParts(model, ids, place);
  const pair = { query: "layers.0.feedForward", key: "layers.0.heads.1" };
  const at = (sources: typeof keySources, name: string) => sources.findIndex((one) => one.name === name);
  const part = values.data[at(querySources, pair.query) * keySources.length + at(keySources, pair.key)]!;
  const { dot, nodes } = scoreGraph(model, ids, place, { pair, threshold: 0 });
  const roots = nodes.filter(({ parent }) => parent === undefined);
  expect(roots.map(({ name, side }) => [name, side])).toEqual([
    [pair.query, "query"],
    [pair.key, "key"],
  ]);
  expect(dot).toBeCloseTo(part, 10);
  for (const { id, value } of roots) {
    expect(value).toBeCloseTo(part, 10);
    const children = nodes.filter(({ parent }) => parent === id);
    expect(children.length).toBeGreaterThan(1);
    expect(children.reduce((sum, one) => sum + one.value, 0)).toBeCloseTo(part, 10);
  }
});

test("a graph expands 64 sources, the largest first", () => {
  const [, { model }] = models as [(typeof models)[0], (typeof models)[0]];
  const deep = modelFor({ ...model.config, numLayers: 3 });
  const place = { layer: 2, head: 1, query: 4, key: 2 };
  const { nodes } = scoreGraph(deep, ids, place, { depth: 3, threshold: 0 });
  const parents = new Set(nodes.flatMap(({ parent }) => (parent === undefined ? [] : [parent])));
  expect(parents.size).toBe(64);
  const roots = nodes.filter(
    ({ parent, kind }) => parent === undefined && (kind === "head" || kind === "feedForward"),
  );
  const [largest] = roots.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  expect(nodes.find(({ parent }) => parent !== undefined)!.parent).toBe(largest!.id);
});

test("16-bit output projections give the graph of their float32 values", () => {
  const [, { model }] = models as [(typeof models)[0], (typeof models)[0]];
  const { init, apply } = decoder(model.config);
  const convertedGraph = (widen: (x: Tensor) => Tensor) => {
    const params = init(5);
    for (const { attention, feedForward } of params.layers) {
      const { up, down } = feedForward as FeedForwardParams;
      for (const map of [attention.output, attention.value, up, down])
        map.weight = widen(cast(map.weight, "bfloat16"));
    }
    const place = { layer: 1, head: 0, query: 5, key: 2 };
    return scoreGraph({ config: model.config, params, apply }, ids, place, { threshold: 0 });
  };
  const narrow = convertedGraph((x) => x);
  expect(narrow.nodes.some(({ parent }) => parent !== undefined)).toBe(true);
  expect(narrow).toEqual(convertedGraph((x) => cast(x, "float32")));
});

test("wrong depths, thresholds and pairs are refused", () => {
  const [{ model }] = models as [(typeof models)[0]];
  const graph = (options: object) => () =>
    scoreGraph(model, ids, { layer: 1, head: 0, query: 1, key: 1 }, options);
  expect(graph({ depth: 0 })).toThrow(/scoreGraph: `depth` is 0/);
  expect(graph({ threshold: 2 })).toThrow(/scoreGraph: `threshold` is 2/);
  const pair = { query: "embedding", key: "layers.0.feedForwards" };
  expect(graph({ pair })).toThrow(
    'scoreGraph: `pair.key` is "layers.0.feedForwards", expected one of layers.0.feedForward, layers.0.heads.0, layers.0.heads.1, … (`scoreParts` lists all 10).\n' +
      "Fix: give a source as `scoreParts` names it.",
  );
  expect(() => scoreGraph(model, ids, { layer: 2, head: 0, query: 1, key: 1 })).toThrow(
    /scoreGraph: `place\.layer` is 2/,
  );
});

test("a softcap and a bias are parts of their own", () => {
  const [, config] = variants.find(([name]) => name === "llama, softcaps")!;
  expect(scoreParts(modelFor(config), ids, { layer: 1, head: 0, query: 5, key: 0 }).softcap).not.toBe(0);
  const [, alibi] = variants.find(([name]) => name === "llama, ALiBi")!;
  expect(scoreParts(modelFor(alibi), ids, { layer: 1, head: 0, query: 5, key: 0 }).bias).toBeLessThan(0);
});

test("sources are named by their origin; a learned position is a source", () => {
  const [{ model: gpt2 }, { model: llama }] = models as [(typeof models)[0], (typeof models)[0]];
  const names = (model: LensModel) => decomposeResidual(model, ids, { layer: 1 }).map(({ name }) => name);
  const heads = [0, 1, 2, 3].map((head) => `layers.0.heads.${head}`);
  expect(names(llama)).toEqual(["embedding", ...heads, "layers.0.feedForward"]);
  expect(names(gpt2)).toEqual([
    "embedding",
    "position",
    ...heads,
    "layers.0.attention.bias",
    "layers.0.feedForward",
  ]);
  const { querySources } = scoreParts(gpt2, ids, { layer: 0, head: 0, query: 5, key: 2 });
  expect(querySources.map(({ name }) => name)).toEqual([
    "embedding",
    "position",
    "layers.0.attentionNorm.bias",
    "query.bias",
  ]);
});

test("the embedding part depends on the token only, the position part on the position only", () => {
  const [{ model }] = models as [(typeof models)[0]];
  const [embedding, position] = decomposeResidual(model, ids, { layer: 0 });
  const row = (x: Tensor, at: number) => slice(x, 1, at, at + 1);
  // Token 1 is at positions 1 and 3.
  expect(row(embedding!.value, 1)).toBeAllclose(row(embedding!.value, 3), { rtol: 0, atol: 1e-12 });
  const other = decomposeResidual(model, ids.toReversed(), { layer: 0 })[1]!;
  expect(sum(sub(position!.value, other.value)).data[0]).toBe(0);
});

test("in float32, sums are exact to 1e-5", () => {
  for (const family of ["gpt2", "llama"] as const) {
    const model = randomDecoder(family, { vocabSize: 13 } as never);
    const { dot, values } = scoreParts(model, ids, { layer: 1, head: 2, query: 5, key: 1 });
    expect(Math.abs(sum(values).data[0]! - dot)).toBeLessThan(1e-5);
    const { logit, parts } = logitParts(model, ids);
    expect(Math.abs(parts.reduce((sum, { value }) => sum + value, 0) - logit)).toBeLessThan(1e-5);
  }
});

test("places out of range are refused", () => {
  const [{ model }] = models as [(typeof models)[0]];
  const at = (place: object) => () =>
    scoreParts(model, ids, { layer: 0, head: 0, query: 1, key: 1, ...place });
  expect(at({ layer: 2 })).toThrow(/scoreParts: `place\.layer` is 2.*\nFix: count layers from 0/);
  expect(at({ head: 4 })).toThrow(/scoreParts: `place\.head` is 4/);
  expect(at({ key: 6 })).toThrow(/scoreParts: `place\.key` is 6/);
  expect(() => logitParts(model, ids, { token: 13 })).toThrow(/logitParts: `token` is 13/);
  expect(() => decomposeResidual(model, ids, { positions: [6] })).toThrow(
    /decomposeResidual: `positions` is 6/,
  );
});

test("the logit difference of a model with 16-bit weights is split too", () => {
  const { config, params, apply } = randomDecoder("llama", { vocabSize: 13 } as never);
  const weight = cast((params.output ?? params.embedding).weight as Tensor, "float16");
  const rounded = { config, params: { ...params, output: { weight } }, apply };
  const { logit, parts } = logitParts(rounded, [3, 1, 4], { token: 5, minus: 2 });
  expect(parts.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(logit, 4);
});
