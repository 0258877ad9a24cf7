import { checks, type Checks } from "@qkv/core";
import {
  add,
  cast,
  gelu,
  linear,
  mul,
  relu,
  sigmoid,
  silu,
  slice,
  tanh,
  tensor,
  type Tensor,
} from "@qkv/tensor";
import { norm, type DecoderConfig, type FeedForwardParams, type Model } from "@qkv/transformer";
import { headContributions } from "@qkv/transformer/inspection";
import type { BlockNumbers, NextToken, TransformerBlockModel } from "@qkv/viz/figures/transformer-block";
import type { TransformerBlockOptions } from "./transformer-block-options.js";
import { tokenText } from "./token-text.js";

/** Numbers of a tensor, in float64. */
type Frame = { data: Float64Array; shape: number[] };
type Tensors = Record<string, Tensor>;

/** Tolerance of rounding against the forward pass of the model, relative to the largest number. */
const tolerance = 1e-3;
/** Number of candidates for the next token. */
const shownTokens = 6;

const activations = {
  silu: { text: "SiLU", apply: silu },
  gelu: { text: "GELU", apply: (x: Tensor) => gelu(x) },
  geluTanh: { text: "GELU", apply: (x: Tensor) => gelu(x, { approximate: "tanh" }) },
  relu: { text: "ReLU", apply: relu },
  reluSquared: { text: "ReLU²", apply: (x: Tensor) => mul(relu(x), relu(x)) },
  quickGelu: { text: "quick GELU", apply: (x: Tensor) => mul(x, sigmoid(mul(x, 1.702))) },
  tanh: { text: "tanh", apply: tanh },
} as const;

/** The activation function of a model that passed {@link checkParts}. */
const activationFunction = ({ activation = "silu" }: DecoderConfig) =>
  activations[activation as keyof typeof activations];

/** The residual stream of a model on a text, from the trace of one forward pass. */
export async function blockTrace(
  model: Model,
  text: string,
  options: TransformerBlockOptions,
): Promise<TransformerBlockModel> {
  const check = checks("transformerBlockModel");
  const given = check.options(options, ["removed", "maxTokens", "name"]);
  const { removed = "none", maxTokens = 16, name = "this model" } = given;
  const loaded = (value: unknown) => typeof (value as Partial<Model> | null)?.apply === "function";
  check.each({ model }, loaded, "a decoder", "load one: await load(await modelTiny()).");
  check.type({ text }, "string");
  check.type({ removed, name }, "string");
  check.whole({ maxTokens }, { min: 1 });
  checkParts(check, model);
  const { config, tokenizer } = model;
  const interventions = removalInterventions(check, removed, config);

  const encoded = tokenizer!.encode(text, { addSpecialTokens: false }).slice(-maxTokens);
  const ids = encoded.length > 0 ? encoded : [0];
  const tensors: Tensors = {};
  const names = ["embeddings", "attentionOutput", "feedForwardOutput", "output"] as const;
  const trace = {
    names: [...names, "scores", "weights", "heads"] as const,
    tensors,
    ...(interventions && { interventions }),
  };
  const logits = await readRows(model.apply(model.params, ids, { trace }));
  const originalLogits = interventions ? await readRows(model.apply(model.params, ids)) : logits;
  const stream = await residualStream(check, model, tensors, removed);
  const next = await nextTokens(check, model, {
    ids,
    removed: removed !== "none",
    logits,
    originalLogits,
    stream,
  });
  return {
    name,
    tokens: ids.map((id) => ({ text: tokenText(model, id), id })),
    vocabSize: config.vocabSize,
    numHeads: config.numHeads,
    numKvHeads: config.numKvHeads,
    norm: config.norm === "layer" ? "layer" : "rms",
    activation: activationFunction(config).text,
    ...stream,
    next,
    removed,
  };
}

/** Refuses models with a part that the figure does not know. */
function checkParts(check: Checks, { config, tokenizer }: Model): void {
  const { placement = "pre", norm, experts, logitSoftcap, numLayers } = config;
  const refuse = (received: string, expected: string) =>
    check.refuse({
      argument: "model",
      received,
      expected,
      fix: "draw a decoder such as GPT-2, Llama, SmolLM or Qwen: those have nothing that is missing here.",
    });
  if (!tokenizer) {
    check.refuse({
      argument: "model",
      received: "a model without a tokenizer",
      expected: "one that can read text",
      fix: "put tokenizer.json beside the weights, or give `load` a `tokenizer`.",
    });
  }
  if (numLayers < 1) refuse("a model without blocks", "one or more");
  if (norm === "none") refuse("a model without norms", "RMSNorm or LayerNorm in each block");
  if (placement !== "pre" && placement !== "both")
    refuse(`norms placed \`${placement}\``, "norms before each part: a stream that parts only add to");
  if ((config.residualScale ?? 1) !== 1 || (config.logitScale ?? 1) !== 1 || config.embeddingNorm)
    refuse("scaled sums or normalized embeddings", "a stream that is the plain sum of what parts add");
  if (experts) refuse("a mixture of experts", "one MLP in each block");
  if (config.activation === "xielu" || config.gateLimit)
    refuse("an MLP that learns its activation, or limits its gates", "an MLP with a fixed activation");
  if (logitSoftcap !== undefined)
    refuse("a cap on the logits", "logits that are sums of what each part adds");
}

/** Interventions that set the output of a part to zero (zero ablation); undefined if nothing is removed. */
function removalInterventions(check: Checks, removed: string, { numLayers, numHeads }: DecoderConfig) {
  if (removed === "none") return undefined;
  const [, kind, layer = 0, head = 0] = (/^(attention|mlp)-(\d+)$/.exec(removed) ??
    /^(head)-(\d+)-(\d+)$/.exec(removed) ??
    []) as (string | undefined)[];
  const found = kind !== undefined && Number(layer) < numLayers && Number(head) < numHeads;
  if (!found) {
    check.refuse({
      argument: "removed",
      received: removed,
      expected: `attention-0 to attention-${numLayers - 1}, mlp-0 to mlp-${numLayers - 1}, or a head as head-0-${numHeads - 1}`,
      fix: "count blocks and heads from 0.",
    });
  }
  if (kind === "head")
    return { [`layers.${layer}.attention.heads`]: (x: Tensor) => withoutHead(x, Number(head)) };
  const output = kind === "mlp" ? "feedForwardOutput" : "attentionOutput";
  return { [`layers.${layer}.${output}`]: (x: Tensor) => mul(x, 0) };
}

/** Outputs of heads `[B, H, T, D]` with zeros in place of one head. */
function withoutHead(heads: Tensor, head: number): Tensor {
  const H = heads.shape[1]!;
  const isKept = Float32Array.from({ length: H }, (_, h) => Number(h !== head));
  return mul(heads, tensor(isKept, { shape: [1, H, 1, 1], device: heads.device }));
}

type Stream = Pick<TransformerBlockModel, "stream" | "writes" | "normed" | "blocks">;

/** The residual stream at each point, and the input and output of each part. */
async function residualStream(
  check: Checks,
  model: Model,
  tensors: Tensors,
  removed: string,
): Promise<Stream> {
  const { config, params } = model;
  const layerNorm = norm({ kind: config.norm ?? "rms", embedDim: config.embedDim, eps: config.normEps });
  const stream = [await readRows(tensors["embeddings"]!)];
  const writes: Frame[] = [];
  const normed: Frame[] = [];
  const blocks: BlockNumbers[] = [];
  let entering = tensors["embeddings"]!;
  for (const [i, layer] of params.layers.entries()) {
    const at = (name: string) => tensors[`layers.${i}.${name}`]!;
    /** Post-norm of a part, as in Gemma 2. */
    const postNorm = (x: Tensor, normParams: typeof layer.attentionOutNorm) =>
      config.placement === "both" && normParams ? layerNorm.apply(normParams, x) : x;
    const attentionInput = layerNorm.apply(layer.attentionNorm, entering);
    const attention = postNorm(at("attentionOutput"), layer.attentionOutNorm);
    const middle = add(entering, attention);
    const mlpInput = layerNorm.apply(layer.feedForwardNorm, middle);
    const mlp = postNorm(at("feedForwardOutput"), layer.feedForwardOutNorm);
    await checkSame(check, `block ${i}`, add(middle, mlp), at("output"));
    stream.push(await readRows(middle), await readRows(at("output")));
    writes.push(await readRows(attention), await readRows(mlp));
    normed.push(await readRows(attentionInput), await readRows(mlpInput));
    const { value, output } = layer.attention;
    blocks.push({
      scores: await readRows(at("attention.scores")),
      weights: await readRows(at("attention.weights")),
      mixtures: await readRows(at("attention.heads")),
      headWrites: await readRows(headContributions(at("attention.heads"), output)),
      values: byHead(await readRows(linear(attentionInput, value.weight, value.bias)), config.numKvHeads),
      ...(await hiddenActivations(config, layer.feedForward as FeedForwardParams, mlpInput, (written) =>
        removed === `mlp-${i}`
          ? undefined
          : checkSame(check, `the MLP of block ${i}`, written, at("feedForwardOutput")),
      )),
    });
    entering = at("output");
  }
  normed.push(await readRows(layerNorm.apply(params.norm, entering)));
  return { stream, writes, normed, blocks };
}

/** The hidden activations of an MLP `[T, F]`, checked against its output. */
async function hiddenActivations(
  config: DecoderConfig,
  { gate, up, down }: FeedForwardParams,
  x: Tensor,
  compare: (written: Tensor) => Promise<void> | undefined,
): Promise<Pick<BlockNumbers, "gate" | "up" | "hidden">> {
  const { apply } = activationFunction(config);
  const upProjected = linear(x, up.weight, up.bias);
  const gated = gate && linear(x, gate.weight, gate.bias);
  const hidden = gated ? mul(apply(gated), upProjected) : apply(upProjected);
  await compare(linear(hidden, down.weight, down.bias));
  return {
    ...(gated && { gate: await readRows(gated) }),
    up: await readRows(upProjected),
    hidden: await readRows(hidden),
  };
}

/** Refuses a model whose forward pass gave other numbers: it has a part that the figure does not draw. */
async function checkSame(check: Checks, part: string, recomputed: Tensor, traced: Tensor): Promise<void> {
  const [{ data: a }, { data: b }] = [await readRows(recomputed), await readRows(traced)];
  let [difference, largest] = [0, 1];
  a.forEach((value, i) => {
    difference = Math.max(difference, Math.abs(value - b[i]!));
    largest = Math.max(largest, Math.abs(b[i]!));
  });
  if (difference <= tolerance * largest) return;
  check.refuse({
    argument: "model",
    received: `numbers of ${part} that differ by ${difference.toPrecision(2)} from its own pass`,
    expected: "a block of norm, attention, norm and MLP, each added to the stream",
    fix: "draw another model: this one has a part that is not drawn yet.",
  });
}

type Passes = {
  ids: readonly number[];
  removed: boolean;
  /** Logits `[T, V]` of this pass, and of a pass with nothing removed. */
  logits: Frame;
  originalLogits: Frame;
  stream: Stream;
};

/** The most probable next tokens at each position, and the contribution of each part to their logits. */
async function nextTokens(check: Checks, model: Model, passes: Passes): Promise<NextToken[][]> {
  const { config, params } = model;
  const { ids, logits, originalLogits, stream } = passes;
  const { stream: points, writes, blocks } = stream;
  const unembedding = (params.output ?? params.embedding).weight;
  const gain = (await readRows(params.norm.weight)).data;
  const bias = params.norm.bias && (await readRows(params.norm.bias)).data;
  const unembeddingRow = memoized(
    async (id: number) => (await readRows(slice(unembedding, 0, id, id + 1))).data,
  );
  const list: NextToken[][] = [];
  for (const t of ids.keys()) {
    const [before, now] = [softmax(row(originalLogits, t)), softmax(row(logits, t))];
    const originalCount = passes.removed ? shownTokens - 2 : shownTokens;
    const offered = topKIndices(before, shownTokens).slice(0, originalCount);
    for (const id of topKIndices(now, shownTokens)) {
      if (offered.length < shownTokens && !offered.includes(id)) offered.push(id);
    }
    // With the divisor of the final norm held fixed, the logit is a sum over the embedding and all writes.
    const divisor = normDivisor(row(points.at(-1)!, t), config);
    const center = config.norm === "layer";
    const tokens: NextToken[] = [];
    for (const id of offered) {
      const output = await unembeddingRow(id);
      const direction = output.map((value, c) => (value * gain[c]!) / divisor);
      const shift = center ? mean(direction) : 0;
      const adds = (x: ArrayLike<number>) => {
        let total = 0;
        for (let c = 0; c < direction.length; c++) total += (direction[c]! - shift) * x[c]!;
        return total;
      };
      const parts = [points[0]!, ...writes].map((frame) => adds(row(frame, t)));
      const heads = blocks.map(({ headWrites }) =>
        Array.from({ length: config.numHeads }, (_, h) => adds(row(headWrites, h * ids.length + t))),
      );
      const rest = bias ? output.reduce((total, value, c) => total + value * bias[c]!, 0) : 0;
      const logit = row(logits, t)[id]!;
      const total = parts.reduce((all, part) => all + part, rest);
      if (!(Math.abs(total - logit) <= tolerance * Math.max(10, ...parts.map(Math.abs)))) {
        check.refuse({
          argument: "model",
          received: `a logit of ${logit.toFixed(3)}, of which ${total.toFixed(3)} is explained`,
          expected: "logits that are the final norm of the stream times a matrix",
          fix: "draw another model: this one has a part that is not drawn yet.",
        });
      }
      tokens.push({
        text: tokenText(model, id),
        id,
        before: before[id]!,
        now: now[id]!,
        logit,
        parts,
        heads,
        rest,
      });
    }
    list.push(tokens);
  }
  return list;
}

/** The number that the final norm divides by: the root mean square, or the standard deviation. */
function normDivisor(x: ArrayLike<number>, { norm: kind, normEps }: DecoderConfig): number {
  const values = Array.from(x);
  const center = kind === "layer" ? mean(values) : 0;
  return Math.sqrt(mean(values.map((value) => (value - center) ** 2)) + normEps);
}

/** The numbers of a tensor, without a batch axis of length 1: `[1, T, C]` as `[T, C]`. */
async function readRows(x: Tensor): Promise<Frame> {
  const shape = x.shape[0] === 1 ? x.shape.slice(1) : [...x.shape];
  // Weights may be float16 or bfloat16, whose typed array holds bit patterns.
  const floats = x.dtype === "float64" ? x : cast(x, "float32");
  return { data: Float64Array.from(await floats.read(), Number), shape };
}

/** `[T, H · D]` as `[H, T, D]`. */
function byHead({ data, shape }: Frame, heads: number): Frame {
  const [T, width] = shape as [number, number];
  const D = width / heads;
  const out = new Float64Array(data.length);
  for (let t = 0; t < T; t++)
    for (let h = 0; h < heads; h++)
      out.set(data.subarray(t * width + h * D, t * width + (h + 1) * D), (h * T + t) * D);
  return { data: out, shape: [heads, T, D] };
}

/** Row of the last axis, by its index over all leading axes. */
function row(
  { data, shape }: { data: ArrayLike<number>; shape: readonly number[] },
  index: number,
): Float64Array {
  const width = shape.at(-1)!;
  return (data as Float64Array).subarray(index * width, (index + 1) * width);
}

function softmax(logits: Float64Array): Float64Array {
  const max = logits.reduce((a, b) => Math.max(a, b));
  const powers = logits.map((logit) => Math.exp(logit - max));
  const total = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / total);
}

/** Indices of the largest numbers, largest first. */
function topKIndices(values: Float64Array, k: number): number[] {
  const best: number[] = [];
  values.forEach((value, id) => {
    if (best.length === k && value <= values[best.at(-1)!]!) return;
    const at = best.findIndex((other) => values[other]! < value);
    best.splice(at < 0 ? best.length : at, 0, id);
    best.length = Math.min(best.length, k);
  });
  return best;
}

const mean = (x: ArrayLike<number>) => Array.from(x).reduce((sum, value) => sum + value, 0) / x.length;

function memoized<T>(make: (id: number) => Promise<T>): (id: number) => Promise<T> {
  const made = new Map<number, Promise<T>>();
  return (id) => {
    const found = made.get(id) ?? make(id);
    made.set(id, found);
    return found;
  };
}
