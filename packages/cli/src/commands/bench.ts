import { cacheFor, evaluate, generate, type Model } from "@qkv/transformer";
import type { Command } from "commander";
import type { Io } from "../io.js";
import { withJson } from "../json-result.js";
import { modelHelp, openModel, withModelOptions, type ModelOptions } from "../open-model.js";
import { numberOption } from "../number-option.js";

type Options = ModelOptions & {
  promptTokens: number;
  newTokens: number;
  rounds: number;
  json?: true | string;
};
type Measurement = {
  device: string;
  promptTokens: number;
  generatedTokens: number;
  /** The best of the rounds: noise only ever adds time. */
  prefill: { tokensPerSecond: number; ms: number };
  decode: { tokensPerSecond: number; msPerToken: number };
};

const count = (flag: string) =>
  numberOption(flag, {
    expected: "an integer, 1 or more",
    fix: "leave it out for the default.",
    accepts: (value) => Number.isSafeInteger(value) && value >= 1,
  });

/** Adds `qkv bench`: tokens per second of prefill and decode. */
export function addBench(program: Command, io: Io): void {
  const command = program
    .command("bench")
    .summary("measure tokens per second of prefill and decoding")
    .description(
      "Measures prefill of a prompt and decoding of new tokens over several rounds, and prints the best round.",
    )
    .argument("<model>", modelHelp)
    .option("--prompt-tokens <n>", "number of tokens in the prompt", count("--prompt-tokens"), 128)
    .option("--new-tokens <n>", "number of tokens to generate", count("--new-tokens"), 32)
    .option("--rounds <n>", "number of rounds", count("--rounds"), 3);
  withModelOptions(command)
    .option("--json [file]", "write one JSON object to the file; without a file, print only that object")
    .action((model: string, options: Options) =>
      withJson(options.json, io, async () => measure(await openModel(model, options, io), options, io), text),
    );
}

async function measure(model: Model, options: Options, { signal }: Io): Promise<Measurement> {
  const { vocabSize, contextLength } = model.config;
  const promptTokens = Math.min(options.promptTokens, contextLength - 1);
  const generatedTokens = Math.min(options.newTokens, contextLength - promptTokens);
  const prompt = Array.from({ length: promptTokens }, (_, i) => (7 * i + 1) % vocabSize);
  // Weights may be random, so stop ids are ignored: as many tokens as asked for are generated.
  const withoutStopIds = { ...model, config: { ...model.config, stopIds: [] } };
  await evaluate(model, [prompt.slice(0, 2)]); // warm-up: compiles kernels, allocates buffers
  let [promptMs, msPerToken] = [Infinity, Infinity];
  for (let round = 0; round < options.rounds; round++) {
    const onFinish = (summary: { timings: { promptMs: number; generationMs: number } }) => {
      promptMs = Math.min(promptMs, summary.timings.promptMs);
      if (generatedTokens > 1)
        msPerToken = Math.min(msPerToken, summary.timings.generationMs / (generatedTokens - 1));
    };
    const cache = cacheFor(model.config);
    for await (const _ of generate(withoutStopIds, prompt, {
      maxTokens: generatedTokens,
      cache,
      signal,
      onFinish,
    }))
      signal.throwIfAborted();
  }
  return {
    device: model.params.embedding.weight.device.name,
    promptTokens,
    generatedTokens,
    prefill: { tokensPerSecond: (1000 * promptTokens) / promptMs, ms: promptMs },
    decode: { tokensPerSecond: 1000 / msPerToken, msPerToken },
  };
}

function text({ device, promptTokens, generatedTokens, prefill, decode }: Measurement): string {
  return [
    `${device}, the best round:`,
    `prefill  ${promptTokens} tokens  ${prefill.tokensPerSecond.toFixed(1)} tokens/s`,
    `decode   ${generatedTokens} tokens  ${decode.tokensPerSecond.toFixed(1)} tokens/s`,
    "",
  ].join("\n");
}
