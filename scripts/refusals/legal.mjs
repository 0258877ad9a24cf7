// Exceptions: wrong arguments that need not throw an error with the function's name, each with a reason. A test fails
// for exceptions that are not needed.

import * as attention from "../../packages/attention/dist/index.js";
import { catalogue } from "../../packages/attention/dist/catalogue.js";

const mixers = catalogue.flatMap(({ kind, exports: [name] }) => (kind === "mixer" ? [name] : []));

/** Mixers that are made without arguments, and ignore any. */
const mixersWithoutOptions = mixers.filter((name) => attention[name].length === 0);

/** Mixers without required options. */
const mixersWithDefaults = mixers.filter((name) => attention[name].length > 0 && isMade(attention[name]));

function isMade(mixer) {
  try {
    return Boolean(mixer());
  } catch {
    return false;
  }
}

/** Entry points for other packages, not for users: arguments are checked by the callers. */
export const forPackages = {
  "@qkv/core":
    "checks, headers and arithmetic that packages share; many take the name of the function to blame",
  "@qkv/core/byte-source": "files and addresses, for the readers of packages",
  "@qkv/tensor/devices": "what a package needs to be a device",
  "@qkv/tensor/random": "bits for operations that check their arguments",
  "@qkv/viz/react": "components: their pictures refuse when they are drawn",
  "@qkv/viz/figures": "parts of a figure and of its element, for those who write figures",
  "@qkv/figures/react": "components: what makes their numbers refuses",
  "@qkv/vue": "composables, which run in components: the stores that they make refuse",
  "@qkv/react": "hooks, which run in components: the stores that they make refuse",
};

/** Entry points without complete checks yet. @type {string[]} */
export const pending = [];

const operand = ["NaN as argument 1", "NaN as argument 2"];

/** @type {{ entry: string, names: string, given?: string[], why: string }[]} Without `given`: any argument. */
export const legal = [
  {
    entry: "@qkv/tensor",
    names:
      "add sub mul div maximum minimum pow remainder floorDivide atan2 equal notEqual less lessEqual greater greaterEqual",
    given: operand,
    why: "a number stands for a tensor of it, and NaN is one",
  },
  {
    entry: "@qkv/tensor",
    names: "arange",
    given: ["a number"],
    why: "two numbers are the ends of a range",
  },
  {
    entry: "@qkv/tensor",
    names: "maskedFill",
    given: ["NaN as argument 3"],
    why: "NaN is a number to fill with",
  },
  {
    entry: "@qkv/tensor",
    names: "where",
    given: ["NaN as argument 2", "NaN as argument 3"],
    why: "as above",
  },
  { entry: "@qkv/tensor", names: "scatter", given: ["NaN as argument 4"], why: "as above" },
  { entry: "@qkv/tensor", names: "full", given: ["NaN as argument 2"], why: "as above" },
  { entry: "@qkv/tensor", names: "pad", given: ["NaN as argument 5"], why: "as above" },
  { entry: "@qkv/tensor", names: "isTensor tensorsOf mapTensors js", why: "takes any value, or none" },
  {
    entry: "@qkv/tensor",
    names: "run runAll runNamed viewOf readOf checkTensor sizeOf broadcastShapes broadcastStrides",
    why: "for operations of one's own, which check what they are given",
  },
  {
    entry: "@qkv/attention-contract",
    names: "applyRule call dropoutMask evaluator isUniform operandsOf toExpr",
    why: "for devices, which read expressions that were checked",
  },
  {
    entry: "@qkv/attention-contract",
    names:
      "callSizes callTensors mapCall assertExhaustive denseSegment isPaged segmentLength checkKeyValues checkSinks refuseType normalizeKeyValues floatKeyValues firstQueryPosition keyLengths keyPositions positionList differByHead positionsAfter storedPositions",
    why: "for caches and devices, which read keys and values that were checked",
  },
  {
    entry: "@qkv/attention-contract",
    names: "callPlaces checkHeads checkQueryShape checkScale checkScoreSizes combineRules planFor",
    why: "for versions of attention, which check and plan their calls with them",
  },
  {
    entry: "@qkv/attention-contract",
    names: "pairsRead seenKeys tileIndex tilePlan",
    why: "for devices, which walk the tiles of a plan",
  },
  {
    entry: "@qkv/tensor/optimizers",
    names: "adafactor adam adamW lion muon",
    given: ["nothing"],
    why: "all options have a default",
  },
  {
    entry: "@qkv/tensor/optimizers",
    names: "paramGroups",
    given: ["an unknown option as argument 2"],
    why: "an optimizer of one's own may hold more",
  },
  {
    entry: "@qkv/tensor/quantized",
    names: "dequantizeWeight",
    given: ["an unknown option as argument 1"],
    why: "a weight is data, and may hold more",
  },
  { entry: "@qkv/tensor/quantized", names: "isQuantized", why: "takes any value" },
  {
    entry: "@qkv/attention",
    names: [
      "bigBird",
      "causal",
      "chunkwise",
      "differential",
      "expectedAttention",
      "h2o",
      "llama3Scaling",
      "llama4Temperature",
      "logSigmoidDecay",
      "outputGate",
      "qkNorm",
      "snapKV",
      "tova",
      ...mixersWithDefaults,
    ].join(" "),
    given: ["nothing"],
    why: "all options have a default",
  },
  {
    entry: "@qkv/attention",
    names: [
      "keyNorm",
      "l2Distance",
      "learnedSinks",
      "selective",
      "sigmoidWeights",
      "softmaxOne",
      "softplusDecay",
      "valueResidual",
      ...mixersWithoutOptions,
    ].join(" "),
    why: "take nothing, and surplus arguments are no mistake",
  },
  {
    entry: "@qkv/attention",
    names: "splitHeads",
    given: ["an unknown option as argument 2"],
    why: "takes the configuration of a layer, of which it needs two sizes",
  },
  {
    entry: "@qkv/tokenizer",
    names:
      "bertNormalizers ctcStep digitsSplit metaspace metaspaceStep punctuationSplit stripEnds wordSuffixStep wordPieceStep",
    given: ["nothing"],
    why: "all options have a default",
  },
  {
    entry: "@qkv/tokenizer",
    names:
      "ctcStep metaspaceStep patternSplit prepend replacePattern replaceStep replaceText splitFromPattern wordSuffixStep textSplit wordPieceStep",
    given: ["text"],
    why: "takes any text",
  },
  { entry: "@qkv/tokenizer/patching", names: "spacePatching", why: "takes nothing" },
  { entry: "@qkv/tokenizer/english-bytes", names: "englishBytes", why: "takes nothing" },
  {
    entry: "@qkv/tokenizer/training",
    names: "countWords textChunks trainByteNgrams",
    given: ["text"],
    why: "takes any text",
  },
  {
    entry: "@qkv/tokenizer/chat",
    names: "chatTemplate",
    given: ["text"],
    why: "takes the text of a template",
  },
  { entry: "@qkv/viz", names: "isPicture", why: "takes any value" },
  { entry: "@qkv/viz/elements", names: "defineElements", why: "takes nothing" },
  { entry: "@qkv/figures", names: "attentionCallExample", given: ["nothing"], why: "needs nothing" },
  {
    entry: "@qkv/figures/attention-call",
    names: "attentionCallExample",
    given: ["nothing"],
    why: "needs nothing",
  },
  { entry: "@qkv/figures/attention-call", names: "defineAttentionCall", why: "takes nothing" },
  { entry: "@qkv/figures/caches-at-work", names: "defineCachesAtWork", why: "takes nothing" },
  { entry: "@qkv/figures/evolution", names: "defineEvolution", why: "takes nothing" },
  { entry: "@qkv/figures", names: "evolutionModel", why: "takes nothing" },
  { entry: "@qkv/figures/evolution", names: "evolutionModel", why: "takes nothing" },
  { entry: "@qkv/figures/generation", names: "defineGeneration", why: "takes nothing" },
  { entry: "@qkv/figures/heads-and-keys", names: "defineHeadsAndKeys", why: "takes nothing" },
  { entry: "@qkv/figures/transformer-block", names: "defineTransformerBlock", why: "takes nothing" },
  { entry: "@qkv/figures/tokenization", names: "defineTokenization", why: "takes nothing" },
  { entry: "@qkv/figures/model-stack", names: "defineModelStack", why: "takes nothing" },
  { entry: "@qkv/figures", names: "modelStackModel", given: ["nothing"], why: "every choice has a default" },
  {
    entry: "@qkv/figures/model-stack",
    names: "modelStackModel",
    given: ["nothing"],
    why: "every choice has a default",
  },
  { entry: "@qkv/figures/flash-attention", names: "defineFlashAttention", why: "takes nothing" },
  { entry: "@qkv/figures/linked-matrices", names: "defineLinkedMatrices", why: "takes nothing" },
  {
    entry: "@qkv/figures/encoder-decoder-attention",
    names: "defineEncoderDecoderAttention",
    why: "takes nothing",
  },
  { entry: "@qkv/figures/head-constructions", names: "defineHeadConstructions", why: "takes nothing" },
  { entry: "@qkv/figures/written-state", names: "defineWrittenState", why: "takes nothing" },
  {
    entry: "@qkv/figures",
    names: "flashAttentionModel headConstructionsModel headsAndKeysModel tokenizationModel writtenStateModel",
    given: ["nothing"],
    why: "every choice has a default",
  },
  {
    entry: "@qkv/figures/heads-and-keys",
    names: "headsAndKeysModel",
    given: ["nothing"],
    why: "every choice has a default",
  },
  {
    entry: "@qkv/figures/flash-attention",
    names: "flashAttentionModel",
    given: ["nothing"],
    why: "every choice has a default",
  },
  {
    entry: "@qkv/figures/encoder-decoder-attention",
    names: "encoderDecoderAttentionModel",
    given: ["nothing"],
    why: "every choice has a default",
  },
  {
    entry: "@qkv/figures",
    names: "encoderDecoderAttentionModel",
    given: ["nothing"],
    why: "every choice has a default",
  },
  {
    entry: "@qkv/figures/written-state",
    names: "writtenStateModel",
    given: ["nothing"],
    why: "every choice has a default",
  },
  {
    entry: "@qkv/figures/head-constructions",
    names: "headConstructionsModel",
    given: ["nothing"],
    why: "every choice has a default",
  },
  {
    entry: "@qkv/figures",
    names: "linkedMatricesExample",
    given: ["nothing"],
    why: "every choice has a default",
  },
  {
    entry: "@qkv/figures/linked-matrices",
    names: "linkedMatricesExample",
    given: ["nothing"],
    why: "every choice has a default",
  },
  {
    entry: "@qkv/figures/tokenization",
    names: "tokenizationModel",
    given: ["nothing"],
    why: "every choice has a default",
  },
  {
    entry: "@qkv/cost",
    names: "parameters",
    given: ["an unknown option as argument 1"],
    why: "the shape of a model is data, and may hold more",
  },
  {
    entry: "@qkv/kv-cache",
    names: "growingCache quantizedCache stateCache",
    given: ["nothing"],
    why: "all options have a default",
  },
  {
    entry: "@qkv/model-tiny",
    names: "modelTiny",
    why: "takes nothing, and surplus arguments are no mistake",
  },
  { entry: "@qkv/model-tiny/bytes", names: "modelTinyBytes", why: "as above" },
  {
    entry: "@qkv/model-tiny/algorithms",
    names: "bracketModel palindromeModel sortingModel",
    why: "as above",
  },
  { entry: "@qkv/gpu", names: "gpu", given: ["nothing"], why: "all options have a default" },
  { entry: "@qkv/gpu", names: "parseGpuName", why: "answers undefined to what is no name of its own" },
  {
    entry: "@qkv/webgpu",
    names: "parseWebGpuName",
    given: ["text"],
    why: "answers undefined to what is no name of its own",
  },
  { entry: "@qkv/device", names: "device", given: ["nothing"], why: "all options have a default" },
  {
    entry: "@qkv/device/check",
    names: "checkCases",
    why: "takes nothing, and surplus arguments are no mistake",
  },
  {
    entry: "@qkv/device/check",
    names: "checkText",
    given: ["an unknown option as argument 1"],
    why: "a report may have more facts",
  },
  {
    entry: "@qkv/device/check",
    names: "deviceSubject",
    given: ["an unknown option as argument 2"],
    why: "a device may have more than the contract asks for",
  },
  { entry: "@qkv/device/file-storage", names: "fileStorage", given: ["text"], why: "any text is a path" },
  { entry: "@qkv/wasm", names: "wasm", given: ["nothing"], why: "all options have a default" },
  {
    entry: "@qkv/wasm",
    names: "parseWasmName",
    given: ["text"],
    why: "answers undefined to what is no name of its own",
  },
  {
    entry: "@qkv/wasm/limits",
    names: "readLoop copyLoop",
    given: ["nothing"],
    why: "reads as much as no cache holds",
  },
  { entry: "@qkv/transformer", names: "anyLinear", given: ["nothing"], why: "all options have a default" },
  {
    entry: "@qkv/transformer",
    names: "candidates promptLookup",
    given: ["a list as argument 1"],
    why: "one list for each token: its numbers are not looked at one by one",
  },
  {
    entry: "@qkv/transformer",
    names: "normalizeModule",
    given: ["nothing", "text"],
    why: "its name is any text, and has a default",
  },
  { entry: "@qkv/transformer", names: "knownCheckpoints", why: "takes nothing" },
  { entry: "@qkv/transformer/export", names: "memoryFolder", why: "takes nothing" },
  {
    entry: "@qkv/transformer/audio",
    names: "whisperFeatures waveformFeatures seamlessFeatures astFeatures",
    given: ["nothing"],
    why: "all options have a default",
  },
  { entry: "@qkv/transformer", names: "hubCacheFolder isHubOffline", why: "take nothing" },
  { entry: "@qkv/lens", names: "zeroAblation", why: "takes nothing" },
  { entry: "@qkv/stores", names: "attentionStore", why: "takes nothing" },
  {
    entry: "@qkv/stores",
    names: "embeddingStore generationStore",
    given: ["nothing"],
    why: "all options have a default",
  },
  {
    entry: "@qkv/stores",
    names: "loadingStore sharedModel",
    given: ["text", "a list", "a promise", "an unknown option"],
    why: "a source is of the runtime, whose refusal is the error of the state",
  },
  {
    entry: "qkv/command",
    names: "run",
    why: "a program: it writes what is wrong, and returns the exit status",
  },
];
