import { checks, type Checks } from "@qkv/core";
import { checkFormats, checkShape, checkWhole } from "./check-call.js";
import { formats, type Formats } from "./formats.js";
import type { ModelShape } from "./model-shape.js";
import type { Run } from "./part.js";
import { parts } from "./parts.js";

/** One pass of a model. Lengths in tokens. */
export type Call = {
  /** B, sequences or images; for CLIP and SigLIP, pairs of a text and an image. Default 1. */
  batchSize?: number;
  /** T, tokens of each sequence that this pass computes. Default 1: one step of decoding; for image encoders all rows. */
  queryLength?: number;
  /** S, tokens of each sequence after this pass. Default: `queryLength`, a pass from the start. */
  contextLength?: number;
  /** Tokens that the encoder of an encoder-decoder reads. Default: its fixed number of rows, or `queryLength`. */
  sourceLength?: number;
  /** Runs the encoder in this pass. Default: true if the pass starts the sequence. */
  encodes?: boolean;
  /** Tokens of each sequence that get logits. Default: all of the pass. */
  outputLength?: number;
  /** Tile size of the attention kernel, which computes whole tiles. Default 1: only visible pairs. Unit: tokens. */
  tileSize?: number;
  /** Computation of latent attention. Default `cheapest`: the one with fewer FLOPs. */
  latent?: "naive" | "absorbed" | "cheapest";
  formats?: Partial<Formats>;
};

/** Cost of one operator in a pass, summed over the layers that have it. */
export type Operator = {
  readonly name: string;
  /** Number of layers that have it. */
  readonly times: number;
  readonly flops: number;
  readonly weightBytes: number;
  readonly activationBytes: number;
  readonly cacheBytes: number;
  /** All bytes moved. */
  readonly bytes: number;
  /** Arithmetic intensity: FLOPs per byte moved. */
  readonly intensity: number;
  /** Operations (kernel launches) that a runtime starts. */
  readonly calls: number;
};

/** Cost of a pass. Each figure is the sum of the operators'. */
export type Cost = {
  readonly operators: readonly Operator[];
  readonly flops: number;
  readonly weightBytes: number;
  readonly activationBytes: number;
  readonly cacheBytes: number;
  readonly bytes: number;
  readonly intensity: number;
  readonly calls: number;
  /** Tokens that the pass computes, over all sequences. */
  readonly tokens: number;
};

/**
 * Returns the FLOPs and memory traffic of one pass of a model. An addition, a multiplication, or a call of a function such as exp
 * is 1 FLOP, as in `count` of `@qkv/tensor`; an embedding lookup is 0. Weights are read once per pass, and those of an expert only
 * if a token is routed to it. Scores are not stored, as in a fused kernel; {@link attentionTraffic} has the cost of
 * storing them.
 *
 * @param shape - From {@link readConfig}.
 * @throws {ArgumentError} If a length is not an integer, or the context is shorter than the pass.
 *
 * @example
 * ```ts
 * import { cost, readConfig } from "@qkv/cost";
 *
 * const shape = readConfig({ model_type: "gpt2", n_embd: 768, n_head: 12, n_layer: 12, n_positions: 1024, vocab_size: 50257 });
 * const prompt = cost(shape, { queryLength: 512 });
 * const step = cost(shape, { contextLength: 512 });
 * [prompt.intensity > 100, step.intensity < 2]; // => [true, true]
 * step.cacheBytes; // => 18911232
 * ```
 */
export function cost(shape: ModelShape, call: Call = {}): Cost {
  const check = checks("cost");
  checkShape(check, shape);
  const options = check.options(call, callNames, "call");
  const run = createRun(check, shape, options);
  checkFormats(check, options.formats);
  const bytesPer = resolveFormats(options.formats);
  const operators = parts(shape).flatMap((part): Operator[] => {
    const { flops, weights, activations, cache, calls } = part.work(run);
    if (calls === 0) return [];
    const { times, name } = part;
    const weightBytes = weights * times * bytesPer.weights;
    const activationBytes = activations * times * bytesPer.activations;
    const cacheBytes = cache * times * bytesPer.cache;
    const bytes = weightBytes + activationBytes + cacheBytes;
    return [
      {
        name,
        times,
        flops: flops * times,
        weightBytes,
        activationBytes,
        cacheBytes,
        bytes,
        intensity: (flops * times) / bytes,
        calls: calls * times,
      },
    ];
  });
  const sum = (key: "flops" | "weightBytes" | "activationBytes" | "cacheBytes" | "bytes" | "calls") =>
    operators.reduce((total, operator) => total + operator[key], 0);
  const [flops, bytes] = [sum("flops"), sum("bytes")];
  return {
    operators,
    flops,
    weightBytes: sum("weightBytes"),
    activationBytes: sum("activationBytes"),
    cacheBytes: sum("cacheBytes"),
    bytes,
    intensity: flops / bytes,
    calls: sum("calls"),
    tokens: run.batchSize * run.queryLength,
  };
}

const callNames = [
  ...(["batchSize", "queryLength", "contextLength", "sourceLength", "encodes"] as const),
  ...(["outputLength", "tileSize", "latent", "formats"] as const),
] as const satisfies readonly (keyof Call)[];

/** Bytes per number of weights, activations and cache. */
export function resolveFormats(partial: Partial<Formats> = {}): { [kind in keyof Formats]: number } {
  const { weights = formats.float16, activations = formats.float16, cache = formats.float16 } = partial;
  return {
    weights: weights.bytesPerNumber,
    activations: activations.bytesPerNumber,
    cache: cache.bytesPerNumber,
  };
}

function createRun(check: Checks, shape: ModelShape, call: Call): Run {
  const isEncoderDecoder = shape.encoder !== undefined && shape.decoder !== undefined;
  const rows = shape.encoder?.rows;
  const {
    batchSize = 1,
    queryLength = isEncoderDecoder ? 1 : (rows ?? 1),
    contextLength: keyLength = queryLength,
  } = call;
  const { sourceLength = isEncoderDecoder ? (rows ?? queryLength) : 0, encodes = queryLength === keyLength } =
    call;
  const { outputLength = queryLength, tileSize = 1, latent = "cheapest" } = call;
  checkWhole(check, { batchSize }, 1, "sequences");
  checkWhole(check, { queryLength }, 1, "tokens");
  checkWhole(check, { sourceLength, outputLength }, 0, "tokens");
  checkWhole(check, { tileSize }, 1, "positions");
  check.type({ encodes }, "boolean");
  check.oneOf({ latent }, ["naive", "absorbed", "cheapest"]);
  check.each(
    { contextLength: keyLength },
    (length) => Number.isSafeInteger(length) && (length as number) >= queryLength,
    `an integer number of tokens, at least queryLength = ${queryLength}`,
    "count the tokens of this pass too: they attend to themselves.",
  );
  if (rows !== undefined && !isEncoderDecoder)
    checkRows(check, shape, { queryLength, contextLength: keyLength });
  if (sourceLength > 0 && !isEncoderDecoder) {
    check.refuse({
      argument: "sourceLength",
      received: sourceLength,
      expected: `nothing, as ${shape.architecture} has no encoder beside a decoder`,
      fix: "leave it out, and count all tokens in queryLength and contextLength.",
    });
  }
  return { batchSize, queryLength, keyLength, sourceLength, encodes, outputLength, tileSize, latent };
}

/** Refuses lengths that differ from the fixed number of rows of an image. */
function checkRows(
  check: Checks,
  { architecture, encoder }: ModelShape,
  lengths: Readonly<Record<string, number>>,
): void {
  const rows = encoder!.rows!;
  const expected = `${rows}, as an image of ${architecture} has as many rows`;
  check.each(lengths, (length) => length === rows, expected, "leave it out; count images in `batchSize`.");
}
