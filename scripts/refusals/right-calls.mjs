// Valid calls of functions with several arguments or options, from which wrong calls are derived.

/** The built package, the same module as in probe.mjs. */
const tensorIndex = new URL("../../packages/tensor/dist/index.js", import.meta.url).href;

/** @returns {Promise<Record<string, unknown[]>>} The arguments of a valid call, by the name of the function. */
export async function rightCalls(entry, exported) {
  const calls = await byEntry[entry]?.(exported);
  return calls ?? {};
}

const byEntry = {
  async "@qkv/tensor"({ tensor, zeros, ones, js }) {
    const [x, v, ids] = [ones([2, 3]), ones([3]), tensor([0, 1], { dtype: "int32" })];
    const bools = tensor([true, false]);
    const device = js();
    const reduced = [x, { axis: 0, keepDims: true }];
    const two = Object.fromEntries(
      "add sub mul div maximum minimum pow remainder floorDivide atan2 equal notEqual less lessEqual greater greaterEqual"
        .split(" ")
        .map((name) => [name, [x, x]]),
    );
    const reductions = Object.fromEntries(
      "sum mean prod max min all any argmax argmin norm variance std logSumExp"
        .split(" ")
        .map((name) => [name, reduced]),
    );
    return {
      ...two,
      ...reductions,
      tensor: [[1, 2], { shape: [2], dtype: "float32", device }],
      zeros: [[2], { dtype: "float32", device }],
      ones: [[2], { dtype: "float32", device }],
      full: [[2], 1, { dtype: "float32", device }],
      allClose: [x, x, { rtol: 0.1 }],
      arange: [2, { start: 0, dtype: "float32", device }],
      diag: [v],
      eye: [2, { columns: 3, dtype: "float32", device }],
      flatten: [x, { start: 0, end: 1 }],
      item: [ones([1])],
      linspace: [0, 1, 3, { dtype: "float32", device }],
      maskedFill: [v, tensor([true, false, true]), v],
      meshgrid: [[v, v]],
      moveAxis: [x, 0, 1],
      onesLike: [x, { dtype: "int32" }],
      randint: [[2], { seed: 1, low: 0, high: 4 }],
      stridedSlice: [x, [[0, 2, 1]]],
      tensordot: [x, x, [[0], [0]]],
      trace: [ones([2, 2])],
      unstack: [x, 0],
      zerosLike: [x, { dtype: "int32" }],
      randn: [[2], { seed: 1, first: 0, dtype: "float32", device }],
      uniform: [[2], { seed: 1, low: 0, high: 1 }],
      bernoulli: [[2], { seed: 1, p: 0.5 }],
      permutation: [3, { seed: 1 }],
      categorical: [x, { seed: 1 }],
      argSort: [x, { axis: 0, descending: true }],
      broadcastTo: [v, [2, 3]],
      cast: [x, "float64"],
      causalConv: [ones([1, 2, 4]), ones([2, 1, 2]), { activation: "silu" }],
      clamp: [x, { min: 0, max: 1 }],
      concat: [[x, x], 0],
      crossEntropy: [x, ids, { reduction: "sum" }],
      cummax: [x, 0],
      cumprod: [x, 0],
      cumsum: [x, 0, { exclusive: true }],
      dropout: [x, { rate: 0.5, seed: 1 }],
      einsum: ["ij,j->i", x, v],
      elu: [x, { alpha: 1 }],
      embedding: [x, ids],
      expandDims: [x, 0],
      flip: [x, 0],
      gather: [x, 0, zeros([1, 3], { dtype: "int32" })],
      gelu: [x, { approximate: "tanh" }],
      glu: [ones([2, 4]), { axis: 1 }],
      groupNorm: [ones([2, 4, 3]), 2, ones([4]), ones([4]), { eps: 1e-5 }],
      layerNorm: [x, v, v, { eps: 1e-5 }],
      rmsNorm: [x, v, { eps: 1e-5 }],
      leakyRelu: [x, { negativeSlope: 0.1 }],
      linear: [x, ones([4, 3]), ones([4])],
      logSoftmax: [x, { axis: 0 }],
      softmax: [x, { axis: 0 }],
      logicalAnd: [bools, bools],
      logicalOr: [bools, bools],
      matmul: [x, ones([3, 2])],
      normalize: [x, { axis: 0, order: 1, eps: 1e-6 }],
      oneHot: [ids, 2, { dtype: "int32" }],
      outer: [v, v],
      pad: [x, 0, 1, 1, { value: 0 }],
      permute: [x, [1, 0]],
      repeat: [x, 0, 2],
      reshape: [x, [3, 2]],
      roll: [x, 1, 0],
      scatter: [x, 0, zeros([1, 3], { dtype: "int32" }), ones([1, 3]), { reduce: "add" }],
      scatterUpdate: [ones([1, 4, 2]), ones([1, 1, 2]), { axis: 1 }],
      slice: [x, 0, 0, 1],
      sort: [x, { axis: 0 }],
      split: [x, 2, 0],
      squeeze: [ones([1, 3]), 0],
      stack: [[x, x], 0],
      swiglu: [x, x, { alpha: 1 }],
      swish: [x, { alpha: 1 }],
      take: [x, 0, ids],
      tile: [x, [2, 1]],
      topK: [x, 2, { axis: 1, largest: true }],
      tril: [x, 0],
      triu: [x, 0],
      where: [tensor([true, false, true]), x, x],
      write: [zeros([2, 3]), 0, 0, ones([1, 3])],
      checkGradient: [(z) => z, ones([], { dtype: "float64" }), { step: 1e-5 }],
      mapTensors: [{ x }, (z) => z],
      vjp: [(z) => z, x],
      diagonal: [ones([2, 2]), 0, 1],
      transpose: [x],
    };
  },

  async "@qkv/tensor/convolutions"() {
    const { ones } = await import(tensorIndex);
    return {
      conv1d: [ones([1, 2, 4]), ones([3, 2, 2]), { stride: 1, bias: ones([3]) }],
      conv2d: [ones([1, 2, 4, 4]), ones([3, 2, 2, 2]), { stride: 1, bias: ones([3]) }],
      maxPool1d: [ones([1, 2, 4]), 2, { stride: 1 }],
      maxPool2d: [ones([1, 2, 4, 4]), 2, { stride: 1 }],
      avgPool1d: [ones([1, 2, 4]), 2, { stride: 1 }],
      avgPool2d: [ones([1, 2, 4, 4]), 2, { stride: 1 }],
    };
  },

  async "@qkv/tensor/initializers"() {
    return {
      truncatedNormal: [[2], { seed: 1, std: 1 }],
      xavierUniform: [[2, 3], { seed: 1, gain: 1 }],
      xavierNormal: [[2, 3], { seed: 1, gain: 1 }],
      kaimingUniform: [[2, 3], { seed: 1, mode: "fanIn" }],
      kaimingNormal: [[2, 3], { seed: 1, mode: "fanIn" }],
    };
  },

  async "@qkv/tensor/fft"() {
    const { ones } = await import(tensorIndex);
    const x = { real: ones([4]), imag: ones([4]) };
    return {
      fft: [x, { n: 4, axis: 0 }],
      ifft: [x, { n: 4, axis: 0 }],
      rfft: [ones([4]), { n: 4, axis: 0 }],
      irfft: [x, { n: 6, axis: 0 }],
    };
  },

  async "@qkv/tensor/losses"() {
    const { ones, tensor } = await import(tensorIndex);
    const x = ones([2, 3]);
    return {
      mseLoss: [x, x, { reduction: "sum" }],
      l1Loss: [x, x, { reduction: "sum" }],
      huberLoss: [x, x, { delta: 1 }],
      binaryCrossEntropyWithLogits: [x, x, { weight: ones([3]) }],
      klDivergence: [x, x, { logTarget: true }],
      cosineSimilarity: [x, x, { axis: 0, eps: 1e-8 }],
      cosineEmbeddingLoss: [x, x, tensor([1, -1], { dtype: "int32" }), { margin: 0.5 }],
      tripletMarginLoss: [x, x, x, { margin: 1, swap: true }],
      infoNce: [x, x, { temperature: 0.5 }],
    };
  },

  async "@qkv/tensor/optimizers"({ constant, sgd }) {
    const { ones } = await import(tensorIndex);
    const plain = sgd({ learningRate: 0.1 });
    return {
      adafactor: [{ learningRate: 0.1, minScale: 0.01 }],
      anneal: [{ from: 1, to: 0, steps: 4, shape: "cosine" }],
      inverseSqrt: [{ peak: 1, warmupSteps: 4 }],
      lion: [{ learningRate: 0.1, betas: [0.9, 0.99] }],
      muon: [{ learningRate: 0.1, momentum: 0.9 }],
      oneCycle: [{ peak: 1, steps: 10, warmupSteps: 3 }],
      orthogonalize: [ones([2, 3]), { steps: 5 }],
      paramGroups: [[{ params: /bias$/, optimizer: plain }], plain],
      sequential: [[[constant(1), 2]], constant(0.1)],
      wsd: [{ peak: 1, warmupSteps: 1, stableSteps: 2, decaySteps: 3 }],
      adam: [{ learningRate: 0.1, eps: 1e-8 }],
      adamW: [{ learningRate: 0.1, weightDecay: 0.1 }],
      sgd: [{ learningRate: 0.1, momentum: 0.9 }],
      constant: [0.1],
      linearWarmup: [2, 0.1],
      cosine: [{ peak: 1, floor: 0, steps: 4 }],
      cosineAnnealing: [{ peak: 1, floor: 0, steps: 4 }],
      cosineRestarts: [{ peak: 1, floor: 0, steps: 4, factor: 2 }],
      warmupCosine: [{ peak: 1, warmupSteps: 1, steps: 4 }],
      clipGradients: [{ w: ones([2]) }, 1, { eps: 1e-6 }],
    };
  },

  async "@qkv/tensor/quantized"({ quantizeWeight }) {
    const { ones } = await import(tensorIndex);
    const [weight, x] = [ones([4, 32]), ones([1, 32])];
    return {
      quantizeWeight: [weight, { bits: 8 }],
      dequantizeWeight: [quantizeWeight(weight), 32],
      quantizedLinear: [x, quantizeWeight(weight), ones([4]), { activations: "float32" }],
    };
  },

  async "@qkv/wasm"() {
    return { wasm: [{ threads: 1 }] };
  },

  async "@qkv/webgpu"() {
    const options = { powerPreference: "low-power" };
    return { webgpu: [options], webgpuAttention: [options] };
  },

  async "@qkv/webgpu/attention"() {
    return { openAttention: [{ powerPreference: "low-power" }] };
  },

  async "@qkv/webgpu/shaders"() {
    return { shadersOf: [() => undefined, { subgroups: false, flopsPerSecond: 1e12 }] };
  },

  async "@qkv/device"() {
    return { device: [{ prefer: ["js"] }] };
  },

  async "@qkv/device/check"({ deviceSubject }) {
    const { js, ones } = await import(tensorIndex);
    const subject = deviceSubject("js", js(), () => ones([1]));
    return {
      checkSubjects: [[subject], { cases: [] }],
      checkText: [{ results: [], failed: 0 }, []],
      deviceSubject: ["js", js(), () => ones([1])],
    };
  },

  async "@qkv/device/file-storage"() {
    return { fileStorage: ["choices.json"] };
  },

  async "@qkv/worker"() {
    // No worker threads here: starting one takes longer than the time limit of a call.
    process.getBuiltinModule = () => undefined;
    return { load: ["model.gguf", { quantize: "int8" }] };
  },

  async "@qkv/worker/serve"() {
    return { serve: [{ port: { postMessage() {}, addEventListener() {} } }] };
  },

  async "@qkv/gpu"() {
    return { gpu: [{ mode: "webasm" }] };
  },

  async "@qkv/attention"(exported) {
    const { ones, tensor } = await import(tensorIndex);
    const { causal, groupedQuery } = exported;
    const [q, kv] = [ones([1, 2, 3, 4]), ones([1, 2, 3, 4])];
    const [rows, square] = [ones([1, 3, 4]), ones([1, 1, 3, 3])];
    const sizes = { embedDim: 8, numHeads: 2 };
    const bools = tensor([[true, false]]);
    const heads = { numHeads: 2, numKvHeads: 2 };
    const params = groupedQuery({ ...sizes, numKvHeads: 2 }).init(1);
    return {
      additive: [{ queryDim: 4, keyDim: 4, hiddenDim: 4 }],
      attention: [q, kv, kv, { scale: 1 }],
      attentionWeights: [q, kv, { scale: 1 }],
      tracedAttention: [q, kv, kv, { scale: 1 }, ["weights"]],
      causal: [{ align: "bottom-right", offset: 0 }],
      attentionResiduals: [ones([4]), ones([2, 3, 4]), { scale: 1 }],
      bigBird: [{ blockSize: 2, seed: 1 }],
      blockSparse: [bools, 2],
      crossAttention: [{ ...sizes, contextDim: 8 }],
      describe: [causal(), { queryLength: 3, keyLength: 3 }],
      dilated: [4, 2],
      dynamicNtk: [{ factor: 2, originalLength: 8 }],
      groupedQuery: [{ ...sizes, numKvHeads: 1 }],
      multiHead: [sizes],
      multiQuery: [sizes],
      perHead: [{ ...sizes, numKvHeads: 1 }],
      halfToInterleaved: [ones([8, 8]), { headDim: 4 }],
      interleavedToHalf: [ones([8, 8]), { headDim: 4 }],
      induction: [square, [1, 2, 3]],
      sameToken: [square, [1, 2, 3]],
      latent: [{ ...sizes, kvRank: 4, nopeDim: 2, ropeDim: 2, valueDim: 4 }],
      lightningIndexer: [q, ones([1, 3, 4]), { topK: 2 }],
      mobaBlocks: [q, kv, { blockSize: 2, topK: 2 }],
      nsaBlocks: [q, ones([1, 2, 2, 4]), { blockSize: 2, numBlocks: 3 }],
      nativeSparse: [
        q,
        kv,
        kv,
        { blockSize: 2, numBlocks: 3, gates: { compressed: ones([1, 2, 3]), selected: ones([1, 2, 3]) } },
      ],
      path: [{ direction: kv, beta: ones([1, 2, 3]) }],
      plainAttention: [q, kv, kv, { scale: 1 }],
      learnedPositions: [{ maxLength: 4, embedDim: 4 }],
      llama3Scaling: [{ factor: 8 }],
      luongDot: [rows, rows, rows, { mask: causal() }],
      maskMod: [() => true, { name: "all" }],
      qkNorm: ["rms", { eps: 1e-6 }],
      outputGate: ["headwise", {}],
      differential: [{ lambdaInit: 0.5 }],
      lambdaInitOfLayer: [2],
      memoryKeys: [4],
      llama4Temperature: [{ floorScale: 8 }],
      scaleByPosition: [(position) => position],
      rope: [{ headDim: 4 }],
      rotate: [q, ones([3, 2]), ones([3, 2]), { layout: "half" }],
      scoreMod: [(score) => score, "same", 2],
      scoreModFunction: [(score) => score, { derivative: () => 1 }],
      sinusoidal: [3, 4, { base: 10_000 }],
      slidingWindow: [4],
      splitHeads: [params, heads],
      toGroupedQuery: [params, { numHeads: 2, numKvHeads: 1 }],
      t5Bias: [ones([32, 2]), { bidirectional: true }],
      windowFromFlashAttention: [2, 0],
      windowFromHuggingFace: [4, { bidirectional: false }],
      xpos: [{ headDim: 4 }],
      yarn: [{ factor: 2, originalLength: 8, headDim: 4 }],
      linearScaling: [2],
    };
  },

  async "@qkv/kv-cache"() {
    return {
      growingCache: [{ numLayers: 1 }],
      staticCache: [{ maxLength: 4, numLayers: 1 }],
      rollingCache: [{ windowSize: 4, numLayers: 1 }],
      pagedCache: [{ pages: 4, pageLength: 2, numLayers: 1 }],
      prefixCache: [{ pages: 4, pageLength: 2, numLayers: 1 }],
      quantizedCache: [{ numLayers: 1 }],
      stateCache: [{ numLayers: 1 }],
      latentCache: [{ latentDim: 4, numLayers: 1 }],
    };
  },

  async "@qkv/cost"({ readConfig, cost, machines }) {
    const config = {
      model_type: "llama",
      hidden_size: 8,
      num_attention_heads: 2,
      num_hidden_layers: 1,
      intermediate_size: 16,
      vocab_size: 10,
    };
    const shape = readConfig(config);
    const machine = Object.values(machines)[0];
    return {
      cost: [shape, { contextLength: 4 }],
      estimate: [cost(shape), machine, {}],
      kvCache: [shape, { contextLength: 4 }],
      memory: [shape, { contextLength: 4 }],
      parameters: [shape],
      quantized: [{ bits: 4, blockSize: 32, scaleBits: 16 }],
      defineMachine: [machine],
    };
  },

  async "@qkv/transformer/audio"() {
    const { ones } = await import(tensorIndex);
    return {
      windowFunction: ["hann", 4, { periodic: true }],
      melFilterBank: [{ numBins: 5, numMels: 2 }],
      stft: [ones([16]), { fftLength: 4, hopLength: 2 }],
      readFeatureExtractor: [{ feature_extractor_type: "WhisperFeatureExtractor" }],
    };
  },

  async "@qkv/transformer"({ decoder: decoderOf }) {
    const { ones, tensor } = await import(tensorIndex);
    const decoder = {
      vocabSize: 8,
      embedDim: 8,
      numLayers: 1,
      numHeads: 2,
      numKvHeads: 1,
      hiddenDim: 16,
      contextLength: 16,
    };
    return {
      decoder: [decoder],
      feedForward: [{ embedDim: 4, hiddenDim: 8 }],
      gru: [{ embedDim: 4, hiddenDim: 4 }],
      norm: [{ kind: "rms", embedDim: 4 }],
      promptLookup: [[1, 2, 1, 2], { ngramSize: 1, draftLength: 2 }],
      meanPooling: [ones([1, 2, 4]), tensor([[true, true]])],
      pipeline: ["text-generation", modelOf(decoderOf), { dtype: "auto", local_files_only: true }],
      candidates: [[0, 1, 2], { temperature: 1 }],
      mixtureOfExperts: [{ embedDim: 4, hiddenDim: 8, numExperts: 2, expertsPerToken: 1 }],
      splitFused: [
        { weight: ones([4, 2]) },
        [
          [0, 1],
          [2, 3],
        ],
      ],
    };
  },
};

/** A small model without a tokenizer. */
function modelOf(decoderOf) {
  const made = decoderOf({
    ...{ vocabSize: 8, embedDim: 8, numLayers: 1, numHeads: 2, numKvHeads: 1, hiddenDim: 16 },
    ...{ contextLength: 16, normEps: 1e-5, stopIds: [] },
  });
  return { config: made.config, params: made.init(1), tokenizer: undefined, apply: made.apply };
}
