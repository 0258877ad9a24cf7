import { additive, attentionWeights, causal, slidingWindow, type Mask } from "@qkv/attention";
import { costKinds, kvCache, readCacheLayers } from "@qkv/cost";
import { add, expandDims, mul, randn, slice, tensor, type Tensor } from "@qkv/tensor";
import type { EvolutionModel, EvolutionStep, WeightMap } from "@qkv/viz/figures/evolution";
import { today } from "./evolution/numbers.js";

const words = ["the", "cat", "sat", "on", "the", "mat"];
const translation = ["die", "Katze", "saß", "auf", "der", "Matte"];
const written = 4;
const T = /* @__PURE__ */ (() => words.length)();
const D = 8;
const H = 4;

/** The reference model of all costs: one decoder layer. */
const size = { numHeads: 32, headDim: 128, contextLength: 32_768, window: 4096 };
const width = /* @__PURE__ */ (() => size.numHeads * size.headDim)();

/**
 * Computes the numbers of *The evolution of attention*: maps by `@qkv/attention` from small seeded vectors, cache and work by
 * `@qkv/cost` for one reference model.
 *
 * @example
 * ```ts
 * import { evolutionModel } from "@qkv/figures/evolution";
 *
 * const { steps } = evolutionModel();
 * steps.map(({ year, name }) => `${year} ${name}`)[0]; // => "2014 Additive"
 * steps.find(({ id }) => id === "multi-query")?.cacheBytesPerToken; // => 512
 * ```
 */
export function evolutionModel(): EvolutionModel {
  const { headDim, numHeads, contextLength: keyLength } = size;
  const call = { queryLength: 1, keyLength, numHeads, headDim };
  const oneHead = { ...call, numHeads: 1, headDim: width };
  const cached = (numKvHeads: number, window?: number) => {
    const layers = readCacheLayers({
      n_layers: 1,
      n_kv_heads: numKvHeads,
      head_dim: headDim,
      ...(window && { sliding_window: window }),
    });
    return kvCache(layers, { contextLength: keyLength }).bytes / keyLength;
  };
  const stateNumbers = numHeads * headDim * headDim;
  const bytesPerToken = (
    layer: { stateNumbers: number } | { kv_lora_rank: number; qk_rope_head_dim: number },
  ) => {
    const layers =
      "stateNumbers" in layer
        ? [{ numbersPerToken: 0, reach: { kind: "causal" } as const, ...layer }]
        : readCacheLayers({ n_layers: 1, ...layer });
    return kvCache(layers, { contextLength: keyLength }).bytes / keyLength;
  };
  const latentSizes = { kv_lora_rank: 512, qk_rope_head_dim: 64 }; // as in DeepSeek-V2
  const absorbed = { ...call, headDim: (512 + 64 + 512) / 2 }; // scores over 576 numbers, mixtures of 512
  const chosenKeys = 2048;
  const blockSize = 64;
  const [ofState, ofLatent] = [costKinds.state(call), costKinds.causal(absorbed)];
  const maps = weightMaps();
  const encoder = cached(numHeads); // projected keys and states, both as wide as the model
  const steps: EvolutionStep[] = [
    {
      id: "additive",
      year: "2014",
      name: "Additive",
      title: "Additive attention",
      paper: {
        title: "Neural Machine Translation by Jointly Learning to Align and Translate",
        authors: "Bahdanau, Cho and Bengio",
        url: "https://arxiv.org/abs/1409.0473",
      },
      problem:
        "A translator had to squeeze the whole sentence into one vector before writing its first word.",
      change:
        "While generating, the decoder looks back. A small network scores its state against every encoder state, softmax turns the scores into weights, and the decoder reads the weighted sum.",
      formula: "weights = softmax(vᵀ tanh(W q + U k))",
      diff: [
        "+ const met = tanh(add(expandDims(query, 1), key));",
        "+ const scores = squeeze(linear(met, w.score), -1);",
        "+ const weights = softmax(scores);",
        "+ return { weights, output: matmul(weights, source) };",
      ],
      seen: "The decoder state before “auf” is scored against six encoder states by a small network.",
      drawing: { decoder: true, network: true, numHeads: 1, numKvHeads: 1 },
      weights: [maps.additive],
      cacheBytesPerToken: encoder,
      flopsPerToken: costKinds.full(oneHead) + 2 * keyLength * width,
      cacheText: "2 · C numbers: its state and its projected key",
      workText: "S · C additions and tanhs, dot products, weighted sum",
    },
    {
      id: "dot-product",
      year: "2015",
      name: "Dot product",
      title: "Dot-product attention",
      paper: {
        title: "Effective Approaches to Attention-based Neural Machine Translation",
        authors: "Luong, Pham and Manning",
        url: "https://arxiv.org/abs/1508.04025",
      },
      problem: "Running a network for every pair of words is slow, and stores T · S · A numbers at once.",
      change: "Score with a dot product, so that all scores together are one matrix product.",
      formula: "weights = softmax(q Kᵀ)",
      diff: [
        "- const met = tanh(add(expandDims(query, 1), key));",
        "- const scores = squeeze(linear(met, w.score), -1);",
        "+ const scores = matmul(query, transpose(key));",
      ],
      seen: "The network is gone: each score is the dot product of the decoder state and an encoder state.",
      drawing: { decoder: true, numHeads: 1, numKvHeads: 1 },
      weights: [maps.dot],
      cacheBytesPerToken: encoder / 2,
      flopsPerToken: costKinds.full(oneHead),
      cacheText: "C numbers: the state is both key and value",
      workText: "S dot products of C numbers, weighted sum",
    },
    {
      id: "self-attention",
      year: "2017",
      name: "Self-attention",
      title: "Scaled self-attention",
      paper: {
        title: "Attention Is All You Need",
        authors: "Vaswani et al.",
        url: "https://arxiv.org/abs/1706.03762",
      },
      problem: "The recurrent encoder and decoder still read one word after the other.",
      change:
        "The sentence attends to itself, all words at once. Each word gets a query, a key and a value of its own, and scores are divided by √D so that softmax does not saturate.",
      formula: "softmax(Q Kᵀ / √D) V",
      diff: [
        "+ const [asking, source] = [x, x];",
        "- const scores = matmul(query, transpose(key));",
        "+ const value = linear(source, w.value);",
        "+ const dots = matmul(query, transpose(key));",
        "+ const scores = mul(dots, 1 / Math.sqrt(D));",
        "- return { weights, output: matmul(weights, source) };",
        "+ return { weights, output: matmul(weights, value) };",
      ],
      seen: "Six words, each with a query, a key and a value; every query is compared with every key.",
      drawing: { numHeads: 1, numKvHeads: 1 },
      weights: [maps.self],
      cacheBytesPerToken: 0,
      flopsPerToken: costKinds.full({ ...oneHead, queryLength: keyLength }),
      cacheText: "a new word changes every row: nothing to cache",
      workText: "all S rows are recomputed for each new word",
    },
    {
      id: "causal",
      year: "2017",
      name: "Causal",
      title: "Causal attention",
      paper: {
        title: "Attention Is All You Need",
        authors: "Vaswani et al.",
        url: "https://arxiv.org/abs/1706.03762",
      },
      problem:
        "A word that sees the next word cannot learn to predict it. And each new word changes every row.",
      change:
        "Scores of later words become −∞ before softmax. Earlier rows never change again, so keys and values can be cached: only the newest word needs a query.",
      formula: "softmax(Q Kᵀ / √D + M) V,  M = −∞ for later keys",
      diff: [
        "- const weights = softmax(scores);",
        '+ const visible = cast(tril(ones([T, T])), "bool");',
        "+ const weights = softmax(where(visible, scores, -Infinity));",
      ],
      seen: "The upper triangle of the map is masked. Only the query of “mat” is computed; keys and values come from the cache.",
      drawing: { numHeads: 1, numKvHeads: 1 },
      weights: [maps.heads[0]!],
      cacheBytesPerToken: encoder,
      flopsPerToken: costKinds.causal(oneHead),
      cacheText: "2 · C numbers: a key and a value",
      workText: "S dot products of C numbers, weighted sum",
    },
    {
      id: "multi-head",
      year: "2017",
      name: "Multi-head",
      title: "Multi-head attention",
      paper: {
        title: "Attention Is All You Need",
        authors: "Vaswani et al.",
        url: "https://arxiv.org/abs/1706.03762",
      },
      problem: "One attention map must capture grammar, reference and position at the same time.",
      change:
        "Split queries, keys and values into H heads. Each head has its own map; their outputs are concatenated and projected.",
      formula: "concat(head₁ … head_H) W_O",
      diff: [
        "+ const cut = (y: Tensor) => permute(reshape(y, [T, -1, D]), [1, 0, 2]);",
        "- const dots = matmul(query, transpose(key));",
        "+ const dots = matmul(cut(query), transpose(cut(key)));",
        "- return { weights, output: matmul(weights, value) };",
        "+ const attended = permute(matmul(weights, cut(value)), [1, 0, 2]);",
        "+ return { weights, output: linear(reshape(attended, [T, -1]), w.output) };",
      ],
      seen: "“mat” now has four query heads. There are four rows of keys and values, and four maps.",
      drawing: { numHeads: H, numKvHeads: H },
      weights: maps.heads,
      cacheBytesPerToken: cached(numHeads),
      flopsPerToken: costKinds.causal(call),
      cacheText: "2 · H · D numbers, as many as before",
      workText: "H · S dot products of D numbers, weighted sum",
    },
    {
      id: "multi-query",
      year: "2019",
      name: "Multi-query",
      title: "Multi-query attention",
      paper: {
        title: "Fast Transformer Decoding: One Write-Head is All You Need",
        authors: "Shazeer",
        url: "https://arxiv.org/abs/1911.02150",
      },
      problem: "Generation is memory-bound: for each new word, the keys and values of all heads are read.",
      change: "All query heads share one key head and one value head. The cache shrinks by the factor H.",
      formula: "head_h = attention(Q_h, K, V)",
      diff: [
        "- const dots = matmul(cut(query), transpose(cut(key)));",
        "+ const dots = matmul(cut(query), transpose(key));",
        "- const attended = permute(matmul(weights, cut(value)), [1, 0, 2]);",
        "+ const attended = permute(matmul(weights, value), [1, 0, 2]);",
      ],
      seen: "Four query heads share one row of keys and values.",
      drawing: { numHeads: H, numKvHeads: 1 },
      weights: maps.multiQuery,
      cacheBytesPerToken: cached(1),
      flopsPerToken: costKinds.causal(call),
      cacheText: "2 · D numbers",
      workText: "the same: every query head attends to every key",
    },
    {
      id: "grouped-query",
      year: "2023",
      name: "Grouped-query",
      title: "Grouped-query attention",
      paper: {
        title: "GQA: Training Generalized Multi-Query Transformer Models from Multi-Head Checkpoints",
        authors: "Ainslie et al.",
        url: "https://arxiv.org/abs/2305.13245",
      },
      problem: "A single key-value head reduces quality, and training can be unstable.",
      change:
        "Use a few key-value heads, each shared by a group of query heads. In the reference model, 8 serve 32.",
      formula: "head_h = attention(Q_h, K_g, V_g),  g = ⌊h · Hkv / H⌋",
      diff: [
        "+ const share = (y: Tensor) => repeat(cut(y), (H * D) / y.shape[1]!, 0);",
        "- const dots = matmul(cut(query), transpose(key));",
        "+ const dots = matmul(cut(query), transpose(share(key)));",
        "- const attended = permute(matmul(weights, value), [1, 0, 2]);",
        "+ const attended = permute(matmul(weights, share(value)), [1, 0, 2]);",
      ],
      seen: "Two rows of keys and values, each read by two query heads.",
      drawing: { numHeads: H, numKvHeads: 2 },
      weights: maps.groupedQuery,
      cacheBytesPerToken: cached(8),
      flopsPerToken: costKinds.causal(call),
      cacheText: "2 · Hkv · D numbers, with Hkv = 8",
      workText: "the same: every query head attends to every key",
    },
    {
      id: "sliding-window",
      year: "2020–23",
      name: "Window",
      title: "Sliding-window attention",
      paper: {
        title: "Longformer (2020), and Mistral 7B (2023)",
        authors: "Beltagy, Peters and Cohan; Jiang et al.",
        url: "https://arxiv.org/abs/2310.06825",
      },
      problem: "The cache still grows with every token, and each new token reads all of it.",
      change:
        "A layer sees only the last W tokens and evicts older keys and values. Higher layers still see further, through the layers below.",
      formula: "M = −∞ also where i − j ≥ W",
      diff: [
        '- const visible = cast(tril(ones([T, T])), "bool");',
        '+ const visible = cast(triu(tril(ones([T, T])), 1 - W), "bool");',
      ],
      seen: "Three words have left the window: their keys and values are evicted, and their weights are masked.",
      drawing: { numHeads: H, numKvHeads: 2, window: 3 },
      weights: maps.window,
      cacheBytesPerToken: cached(8, size.window),
      flopsPerToken: costKinds.window({ ...call, windowSize: size.window }),
      cacheText: `as in GQA, last 4,096 tokens, averaged over ${keyLength.toLocaleString("en-US")}`,
      workText: "H · W dot products of D numbers, weighted sum",
    },
    {
      id: "linear",
      year: "2020",
      name: "Linear",
      title: "Linear attention",
      paper: {
        title: "Transformers are RNNs: Fast Autoregressive Transformers with Linear Attention",
        authors: "Katharopoulos, Vyas, Pappas and Fleuret",
        url: "https://arxiv.org/abs/2006.16236",
      },
      problem:
        "A window forgets everything that has left it; without one, cache and work grow with the text.",
      change:
        "Without softmax, (q Kᵀ) V = q (Kᵀ V): keys and values of the past add up to one matrix, the state. A word writes to it, a query reads it, and nothing else is kept.",
      formula: "S ← S + φ(k) vᵀ,  o = Sᵀ φ(q) / zᵀ φ(q)",
      diff: [
        "- const weights = attentionWeights(query, key, { mask: causal() });",
        "+ const linear = linearAttention({ normalize: true });",
        "+ const { output, state } = mix(linear, positive);",
      ],
      seen: "Each head has a state of 8 × 8 numbers in place of its keys and values. The maps are those that its outputs imply.",
      drawing: {
        numHeads: H,
        numKvHeads: H,
        states: today.linear.states,
        names: ["4 states of 8 × 8", "written, then dropped"],
      },
      weights: today.linear.weights,
      cacheBytesPerToken: bytesPerToken({ stateNumbers }),
      flopsPerToken: ofState,
      cacheText: `a state of H · D · D numbers, averaged over ${keyLength.toLocaleString("en-US")} tokens`,
      workText: "one write and one read of H · D · D numbers",
    },
    {
      id: "gated-delta",
      year: "2024",
      name: "Gated delta",
      title: "The gated delta rule",
      paper: {
        title: "Gated Delta Networks: Improving Mamba2 with Delta Rule",
        authors: "Yang, Kautz and Hatamizadeh",
        url: "https://arxiv.org/abs/2412.06464",
      },
      problem: "A state that is only added to fills up: old and new values for one key are mixed.",
      change:
        "Before it writes, a word removes what the state holds for its key (the delta rule), and a gate lets the whole state fade.",
      formula: "S ← α (S − β k (kᵀ S)) + β k vᵀ",
      diff: [
        "- const { output, state } = mix(linear, positive);",
        "+ const delta = gatedDeltaRule();",
        "+ const { output, state } = mix(delta, { ...unit, decay, beta });",
      ],
      seen: "The same states, now also erased. Grey cells with a minus are weights below 0: something is taken back.",
      drawing: {
        numHeads: H,
        numKvHeads: H,
        states: today.delta.states,
        names: ["4 states of 8 × 8", "written and erased"],
      },
      weights: today.delta.weights,
      cacheBytesPerToken: bytesPerToken({ stateNumbers }),
      flopsPerToken: ofState,
      cacheText: `a state of H · D · D numbers, averaged over ${keyLength.toLocaleString("en-US")} tokens`,
      workText: "a decay, a write and a read of H · D · D numbers; erasing reads them once more",
    },
    {
      id: "latent",
      year: "2024",
      name: "Latent",
      title: "Multi-head latent attention",
      paper: {
        title: "DeepSeek-V2: A Strong, Economical, and Efficient Mixture-of-Experts Language Model",
        authors: "DeepSeek-AI",
        url: "https://arxiv.org/abs/2405.04434",
      },
      problem:
        "A state cannot recall every word exactly. Shared heads save memory, but they all see the same keys.",
      change:
        "Cache one short vector per word, the latent, and let each head make its own keys and values from it. When generating, the projection is applied to the query instead: latents are read as they are.",
      formula: "c = W x,  K_h = c W_K,h,  V_h = c W_V,h",
      diff: [
        "- const layer = multiHead({ embedDim, numHeads, mask: causal() });",
        "+ const layer = latent({ ...sizes, mask: causal() });",
        "+ const output = layer.absorbed(params, x);",
      ],
      seen: "One row of latents serves four query heads, each with keys of its own made from them.",
      drawing: {
        numHeads: H,
        numKvHeads: 1,
        latent: true,
        names: ["1 row of latents", "for keys and values"],
      },
      weights: today.latent,
      cacheBytesPerToken: bytesPerToken(latentSizes),
      flopsPerToken: ofLatent,
      cacheText: "512 + 64 numbers: the latent, and a rotated key for positions",
      workText: "more: H · S dot products of 576 numbers, mixtures of 512",
    },
    {
      id: "sparse",
      year: "2025",
      name: "Sparse",
      title: "Sparse choice of keys",
      paper: {
        title: "MoBA; Native Sparse Attention",
        authors: "Lu et al.; Yuan et al.",
        url: "https://arxiv.org/abs/2502.11089",
      },
      problem: "The cache is small enough, but each new word still reads all of it.",
      change:
        "First choose, then attend. A query is scored against one mean key per block, and only the best blocks are read. In DeepSeek-V3.2, a small indexer chooses single keys.",
      formula: "blocks = topk(q · mean(K_block)),  attention over these",
      diff: [
        "+ const blocks = mobaBlocks(query, key, { blockSize: 2, topK: 2 });",
        "- const mask = causal();",
        "+ const mask = and(causal(), selectedKeys(blocks, 2));",
      ],
      seen: "Two of three blocks are read; pale keys stay in the cache, for a later query.",
      drawing: {
        numHeads: H,
        numKvHeads: 2,
        chosen: today.sparse.chosen,
        names: ["2 KV heads", "2 of 3 blocks are read"],
      },
      weights: today.sparse.weights,
      cacheBytesPerToken: cached(8),
      flopsPerToken:
        costKinds.window({ ...call, windowSize: chosenKeys }) +
        costKinds.pair({ ...call, keyLength: keyLength / blockSize }) * 2 * headDim,
      cacheText: "as in GQA: nothing is dropped",
      workText: `${chosenKeys.toLocaleString("en-US")} chosen keys, and one score per block of ${blockSize}`,
    },
    {
      id: "hybrid",
      year: "2025",
      name: "Hybrid",
      title: "Hybrid stacks",
      paper: {
        title: "Kimi Linear: An Expressive, Efficient Attention Architecture",
        authors: "Kimi Team",
        url: "https://arxiv.org/abs/2510.26692",
      },
      problem: "States are cheap but cannot recall everything; a cache recalls everything but grows.",
      change:
        "Use both. Three layers of four keep a state; every fourth keeps the latents of all words, for exact recall.",
      formula: "layers = [delta, delta, delta, latent, …]",
      diff: ["- const stack = [full, full, full, full];", "+ const stack = [state, state, state, full];"],
      seen: "Four layers instead of four heads: three with states, one with a latent for each word.",
      drawing: {
        numHeads: H,
        numKvHeads: H,
        states: [...today.delta.states.slice(0, 3), null],
        latent: true,
        rows: "layer",
        names: ["3 layers with states", "1 layer with latents"],
      },
      weights: [...today.delta.weights.slice(0, 3), today.latent[3]!],
      cacheBytesPerToken: (3 * bytesPerToken({ stateNumbers }) + bytesPerToken(latentSizes)) / 4,
      flopsPerToken: (3 * ofState + ofLatent) / 4,
      cacheText: "mean of four layers: three states, one of latents",
      workText: "mean of four layers",
    },
  ];
  return {
    words,
    translation,
    written,
    steps,
    reference: `Reference model: one layer, width ${width.toLocaleString("en-US")}, ${numHeads} heads of ${headDim}, 16-bit numbers, ${keyLength.toLocaleString("en-US")} tokens of context. Work counts the operations of attention without projections. Dashed marks show the previous step, or the compared one. The maps are computed from small seeded vectors, not by a trained model.`,
  };
}

function weightMaps() {
  const [query, key] = [mul(randn([1, H, T, D], { seed: 121 }), 1.25), randn([1, H, T, D], { seed: 10121 })];
  const headMaps = (weights: Tensor, visible: (i: number, j: number) => boolean): WeightMap[] =>
    Array.from({ length: weights.shape[1]! }, (_, h) =>
      Array.from({ length: weights.shape[2]! }, (_, i) =>
        Array.from({ length: T }, (_, j) =>
          visible(i, j) ? Number(weights.data[(h * weights.shape[2]! + i) * T + j]) : null,
        ),
      ),
    );
  const masked = (kvHeads: number, mask: Mask) =>
    attentionWeights(query, slice(key, 1, 0, kvHeads), { mask });
  const before = (i: number, j: number) => j <= i;
  const states = randn([1, T, D], { seed: 152 });
  const decoderStates = add(
    mul(slice(states, 1, 0, written), 0.8),
    mul(randn([1, written, D], { seed: 5152 }), 0.35),
  );
  return {
    additive: headMaps(expandDims(additiveWeights(decoderStates, states), 1), () => true)[0]!,
    dot: headMaps(
      attentionWeights(expandDims(decoderStates, 1), expandDims(states, 1), { scale: 0.45 }),
      () => true,
    )[0]!,
    self: headMaps(attentionWeights(query, key), () => true)[0]!,
    heads: headMaps(masked(H, causal()), before),
    multiQuery: headMaps(masked(1, causal()), before),
    groupedQuery: headMaps(masked(2, causal()), before),
    window: headMaps(masked(2, slidingWindow(3)), (i, j) => j <= i && i - j < 3),
  };
}

/** Weights of additive attention, constructed instead of trained, with which the score is high if query and key are similar. */
function additiveWeights(query: Tensor, key: Tensor): Tensor {
  const units = 2 * D; // tanh(q − k + b) + tanh(k − q + b) is largest at q = k
  const signs = Array.from({ length: units * D }, (_, at) => {
    const [unit, input] = [Math.floor(at / D), at % D];
    if (unit % D !== input) return 0;
    return unit < D ? 1 : -1;
  });
  const weight = tensor(signs, { shape: [units, D] });
  const params = {
    query: { weight, bias: tensor(new Array<number>(units).fill(0.7), { shape: [units] }) },
    key: { weight: mul(weight, -1) },
    score: { weight: tensor(new Array<number>(units).fill(0.6), { shape: [1, units] }) },
  };
  const identity = tensor(
    Array.from({ length: T * T }, (_, i) => Number(i % (T + 1) === 0)),
    { shape: [1, T, T] },
  ); // as values: the mixture is the weights
  return additive({ queryDim: D, keyDim: D, hiddenDim: units }).apply(params, query, key, identity);
}
