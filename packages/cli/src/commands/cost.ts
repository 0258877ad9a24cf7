import { ArgumentError, knownNames } from "@qkv/core";
import {
  cost,
  estimate,
  formats,
  kvCache,
  largestBatch,
  longestContext,
  machines,
  memory,
  parameters,
  plan,
  quantized,
  type Format,
  type Machine,
  type ModelShape,
  type Plan,
} from "@qkv/cost";
import type { Command } from "commander";
import type { Io } from "../io.js";
import { measureMachine } from "../measure-machine.js";
import { numberOption } from "../number-option.js";
import { openOutputFile } from "../output-file.js";
import { readShape } from "../read-shape.js";

type Options = {
  context?: number;
  batch: number;
  machine: string;
  weights: string;
  cache: string;
  users?: number;
  tokensPerSecond: number;
  measure?: true;
  json?: true | string;
};

const integerOption = (flag: string, unit: string) =>
  numberOption(flag, {
    expected: `an integer number of ${unit}, 1 or more`,
    fix: `count ${unit}.`,
    accepts: (value) => Number.isSafeInteger(value) && value >= 1,
  });
const rate = numberOption("--tokens-per-second", {
  expected: "a number above 0",
  fix: "give the rate for each user; people read about 5 tokens a second.",
  accepts: (value) => value > 0,
});

const formatsByName: Readonly<Record<string, Format>> = {
  ...formats,
  int8: quantized({ bits: 8 }),
  int4: quantized({ bits: 4 }),
};

/** Adds `qkv cost`: FLOPs, memory and time of a model, without running it. */
export function addCost(program: Command, io: Io): void {
  const names = Object.keys(formatsByName).join(", ");
  program
    .command("cost")
    .summary("estimate what a model costs, without running it")
    .description(
      "Estimates what a model costs, without running it or reading its weights: parameters, memory, FLOPs, and time on a machine.",
    )
    .argument(
      "<model>",
      "a config.json, a folder that contains one, or a llama2.c checkpoint, as a path or URL",
    )
    .option(
      "--context <n>",
      "tokens per sequence (default: the model's context length, at most 4096)",
      integerOption("--context", "tokens"),
    )
    .option("--batch <n>", "sequences per batch", integerOption("--batch", "sequences"), 1)
    .option("--machine <name>", `machine: one of ${Object.keys(machines).join(", ")}`, "browserTab")
    .option("--measure", "measure this machine with the wasm device, and use the result")
    .option("--weights <format>", `number format of the weights: ${names}`, "float16")
    .option("--cache <format>", "number format of the KV cache", "float16")
    .option(
      "--users <n>",
      "also estimate how many machines serve this many users",
      integerOption("--users", "users"),
    )
    .option("--tokens-per-second <n>", "tokens per second for each user", rate, 10)
    .option("--json [file]", "write one JSON object to the file; without a file, print only that object")
    .addHelpText("after", "\nExample:\n  qkv cost config.json --context 8192 --machine h100 --users 1000")
    .action((model: string, options: Options) => runCost(model, options, io));
}

async function runCost(source: string, options: Options, { out, err, signal }: Io): Promise<void> {
  const { json } = options;
  const usedFormats = {
    weights: pick("--weights", formatsByName, options.weights),
    cache: pick("--cache", formatsByName, options.cache),
  };
  const namedMachine = pick("--machine", machines as Readonly<Record<string, Machine>>, options.machine);
  const shape = await readShape(source, signal);
  const file = typeof json === "string" ? await openOutputFile(json, "--json") : undefined;
  try {
    if (options.measure) err.write("measuring this machine …\n");
    const machine = options.measure ? await measureMachine() : namedMachine;
    const result = computeCost(shape, { ...options, machine, formats: usedFormats });
    if (json === true) out.write(`${JSON.stringify(result)}\n`);
    else out.write(table(result));
    await file?.finish(`${JSON.stringify(result)}\n`);
  } finally {
    await file?.discard();
  }
}

type Request = Omit<Options, "machine"> & { machine: Machine; formats: { weights: Format; cache: Format } };

/** The result of the command as one object. */
function computeCost(
  shape: ModelShape,
  { batch, machine, formats, users, tokensPerSecond, ...rest }: Request,
) {
  const contextLength = contextLengthFor(shape, rest.context);
  const sizes = { batchSize: batch, contextLength, formats };
  const size = parameters(shape);
  const isEncoderDecoder = shape.encoder !== undefined && shape.decoder !== undefined;
  const sourceLength = isEncoderDecoder ? { sourceLength: shape.encoder.rows ?? contextLength } : {};
  const pass = (call: Parameters<typeof cost>[1]) => {
    const passCost = cost(shape, { formats, batchSize: batch, ...sourceLength, ...call });
    const { timeMs, boundBy, tokensPerSecond } = estimate(passCost, machine);
    const { flops, bytes, weightBytes, cacheBytes, activationBytes, intensity, calls } = passCost;
    return {
      flops,
      bytes,
      weightBytes,
      cacheBytes,
      activationBytes,
      intensity,
      calls,
      timeMs,
      boundBy,
      tokensPerSecond,
    };
  };
  const { bytesPerToken, bytesPerSourceToken, bytesPerRequest } = kvCache(shape, {
    contextLength,
    ...sourceLength,
    format: formats.cache,
  });
  const fitting = { formats, memoryBytes: machine.memoryBytes };
  const longest = longestContext(shape, { ...fitting, batchSize: batch });
  return {
    architecture: shape.architecture,
    contextLength,
    ...sourceLength,
    batchSize: batch,
    formats: { weights: formats.weights.name, cache: formats.cache.name },
    parameters: size.total,
    activeParameters: size.active,
    kvCache: { bytesPerToken, ...(isEncoderDecoder && { bytesPerSourceToken }), bytesPerRequest },
    memory: memory(shape, sizes),
    prefill: pass({ queryLength: contextLength, outputLength: 1 }),
    // An encoder-only model does not decode.
    ...(shape.decoder && { decode: pass({ contextLength, encodes: false }) }),
    machine,
    // JSON has no Infinity: `null` if the cache does not grow, so that the context is unlimited.
    longestContext: longest === Infinity ? null : longest,
    largestBatch: largestBatch(shape, { ...fitting, contextLength }),
    ...(users !== undefined && {
      plan: plan(shape, { users, contextLength, tokensPerSecond, machine, formats }),
    }),
  };
}

/** Context length: the requested one, that of the model, or the fixed number of rows of an image. Unit: tokens. */
function contextLengthFor(shape: ModelShape, requested: number | undefined): number {
  const rows = shape.decoder ? undefined : shape.encoder?.rows;
  if (rows === undefined) return requested ?? Math.min(shape.contextLength ?? 4096, 4096);
  if (requested === undefined || requested === rows) return rows;
  throw new ArgumentError({
    fn: "qkv",
    argument: "--context",
    received: requested,
    expected: `nothing, as an image has ${rows} rows`,
    fix: "leave it out, and count images with --batch.",
  });
}

function pick<T>(flag: string, choices: Readonly<Record<string, T>>, name: string): T {
  const found = Object.hasOwn(choices, name) ? choices[name] : undefined;
  if (found !== undefined) return found;
  throw new ArgumentError({
    fn: "qkv",
    argument: flag,
    received: name,
    expected: `one of ${knownNames(name, Object.keys(choices), "`qkv cost --help`")}`,
    fix: "choose one of these.",
  });
}

/** Formats the result as text, one figure per line. */
function table(result: ReturnType<typeof computeCost>): string {
  const { memory: memoryUse, prefill, decode, machine, contextLength, batchSize } = result;
  const active =
    result.activeParameters < result.parameters
      ? `, of which a token passes ${count(result.activeParameters)}`
      : "";
  const passText = (pass: typeof prefill) =>
    `${count(pass.flops)} FLOPs, ${bytes(pass.bytes)}, ${pass.intensity.toPrecision(3)} FLOPs a byte; ` +
    `at least ${time(pass.timeMs)}, bound by ${pass.boundBy}`;
  const rows: [string, string][] = [
    ["parameters", `${result.parameters.toLocaleString("en-US")}${active}`],
    ["weights", `${bytes(memoryUse.weightBytes)} as ${result.formats.weights}`],
    ["cache", cacheText(result)],
    ["memory", `${bytes(memoryUse.bytes)} for ${batchSize} × ${contextLength} tokens`],
    [decode ? "prompt" : "pass", passText(prefill)],
    ...(decode
      ? ([["token", `${passText(decode)}; ${decode.tokensPerSecond.toPrecision(3)} tokens/s`]] as [
          string,
          string,
        ][])
      : []),
    [
      "machine",
      `${machine.name}: ${bytes(machine.memoryBytes)}, ${bytes(machine.bytesPerSecond)}/s, ${count(machine.flopsPerSecond)} FLOP/s (${machine.source})`,
    ],
    [
      "fits",
      `${result.longestContext ?? "any number of"} tokens of ${batchSize}, or ${result.largestBatch} sequences of ${contextLength} tokens`,
    ],
    ...(result.plan ? planRows(result.plan) : []),
  ];
  return rows.map(([name, text]) => `${name.padEnd(11)} ${text}\n`).join("");
}

function cacheText({ kvCache, contextLength, sourceLength }: ReturnType<typeof computeCost>): string {
  const { bytesPerToken, bytesPerSourceToken, bytesPerRequest } = kvCache;
  const sourceText =
    bytesPerSourceToken === undefined ? "" : `, ${bytes(bytesPerSourceToken)} a position of the source`;
  const lengths =
    sourceLength === undefined
      ? `${contextLength} tokens`
      : `${contextLength} tokens and a source of ${sourceLength}`;
  return `${bytes(bytesPerToken)} a token${sourceText}, ${bytes(bytesPerRequest)} for ${lengths}`;
}

function planRows(plan: Plan): [string, string][] {
  const { layout, replicas, batchSize } = plan;
  return [
    [
      "plan",
      `${plan.machines} machines: ${replicas} copies, each on ${layout.tensor} × ${layout.pipeline}, ` +
        `${batchSize} users a copy, ${plan.tokensPerSecond.toPrecision(3)} tokens/s each`,
    ],
    ...plan.assumptions.map((text): [string, string] => ["assumed", text]),
  ];
}

const scaled = (value: number, units: readonly string[]) => {
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  return `${Number((value / 1000 ** power).toPrecision(4))}${units[power]}`;
};
const bytes = (value: number) => scaled(value, [" B", " kB", " MB", " GB", " TB", " PB"]);
const count = (value: number) =>
  scaled(value, ["", " thousand", " million", " billion", " trillion", " quadrillion"]);
const time = (ms: number) =>
  ms < 1000 ? `${Number(ms.toPrecision(3))} ms` : `${Number((ms / 1000).toPrecision(3))} s`;
