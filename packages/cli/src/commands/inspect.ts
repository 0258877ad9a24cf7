import { tensorsOf } from "@qkv/tensor";
import { loadAny, type DecoderConfig, type EncoderConfig } from "@qkv/transformer";
import type { Command } from "commander";
import type { Io } from "../io.js";
import { withJson } from "../json-result.js";
import { resolveModel, modelHelp } from "../open-model.js";

type InspectResult = {
  kind: "decoder" | "encoder";
  config: DecoderConfig | EncoderConfig;
  /** Numbers in all, each counted once. */
  parameters: number;
  /** Bytes of keys and values for one token, as float32; an encoder keeps none. */
  kvBytesPerToken: number;
  embeddingParameters: number;
  layers: { type: "full" | "sliding"; attention: number; feedForward: number }[];
};

/** Adds `qkv inspect`: what a model is made of. */
export function addInspect(program: Command, io: Io): void {
  program
    .command("inspect")
    .summary("show the layers, heads and parameters of a model")
    .description(
      "Shows a model's layers, heads and parameters, and the size of its KV cache per token, with a diagram.",
    )
    .argument("<model>", modelHelp)
    .option("--json [file]", "write one JSON object to the file; without a file, print only that object")
    .action((model: string, options: { json?: true | string }) =>
      withJson(options.json, io, () => inspect(model, io), picture),
    );
}

async function inspect(source: string, { signal }: Io): Promise<InspectResult> {
  const { config, params } = await loadAny(await resolveModel(source, { signal }), { signal });
  const count = (tree: unknown) =>
    tensorsOf(tree).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const isDecoder = "numKvHeads" in config;
  const headDim = (isDecoder && config.headDim) || config.embedDim / config.numHeads;
  return {
    kind: isDecoder ? "decoder" : "encoder",
    config,
    parameters: count(params),
    kvBytesPerToken: isDecoder ? 2 * config.numLayers * config.numKvHeads * headDim * 4 : 0,
    embeddingParameters: count(params.embedding),
    layers: params.layers.map(({ attention, feedForward }, i) => ({
      type: (isDecoder && (config.layerTypes?.[i] as "full" | "sliding" | undefined)) || "full", // of a file: words
      attention: count(attention),
      feedForward: count(feedForward),
    })),
  };
}

/** A line for each layer: bars as long as its parts have parameters. */
function picture({
  config,
  parameters,
  kvBytesPerToken,
  embeddingParameters,
  layers,
}: InspectResult): string {
  const { numLayers, numHeads, embedDim, hiddenDim, vocabSize, contextLength } = config;
  const { numKvHeads, window } =
    "numKvHeads" in config ? config : { numKvHeads: numHeads, window: undefined };
  const largest = Math.max(1, ...layers.map(({ attention, feedForward }) => attention + feedForward));
  const bar = (count: number, sign: string) => sign.repeat(Math.round((40 * count) / largest));
  const million = (count: number) =>
    count >= 1e6 ? `${(count / 1e6).toFixed(1)}M` : `${(count / 1e3).toFixed(1)}k`;
  const shared = numHeads === numKvHeads ? "" : `, ${numKvHeads} key-value heads`;
  return [
    `${million(parameters)} parameters: ${numLayers} layers of width ${embedDim}, ${numHeads} heads${shared}, feed-forward ${hiddenDim}`,
    `${vocabSize} tokens, context ${contextLength}${window === undefined ? "" : `, window ${window}`}`,
    kvBytesPerToken === 0
      ? "an encoder: it keeps no cache"
      : `${kvBytesPerToken} bytes of cache a token in float32; ${((kvBytesPerToken * contextLength) / 2 ** 20).toFixed(1)} MiB for a full context`,
    "",
    `  embedding  ${million(embeddingParameters)}`,
    ...layers.map(
      ({ type, attention, feedForward }, i) =>
        `${String(i).padStart(4)}  ${type === "sliding" ? "window" : "full  "} ${bar(attention, "=")}${bar(feedForward, "#")}  ${million(attention + feedForward)}`,
    ),
    `      (= attention, # feed-forward)`,
    "",
  ].join("\n");
}
