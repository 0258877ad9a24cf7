import { growingCache } from "@qkv/kv-cache";
import { evaluate, generate, type Model } from "@qkv/transformer";
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
type Measured = {
  device: string;
  promptTokens: number;
  newTokens: number;
  /** The best of the rounds: noise only ever adds time. */
  prompt: { tokensPerSecond: number; ms: number };
  reply: { tokensPerSecond: number; msPerToken: number };
};

const count = (flag: string) =>
  numberOption(flag, {
    expected: "a whole number, 1 or more",
    fix: "leave it out for the default.",
    accepts: (value) => Number.isSafeInteger(value) && value >= 1,
  });

/** Adds `qkv bench`: how fast a model reads and writes here. */
export function addBench(program: Command, io: Io): void {
  const command = program
    .command("bench")
    .summary("measure how fast a model reads and writes")
    .description("Measures reading a prompt and writing a reply, several times, and prints the best round.")
    .argument("<model>", modelHelp)
    .option("--prompt-tokens <n>", "tokens of the prompt", count("--prompt-tokens"), 128)
    .option("--new-tokens <n>", "tokens of the reply", count("--new-tokens"), 32)
    .option("--rounds <n>", "how often", count("--rounds"), 3);
  withModelOptions(command)
    .option("--json [file]", "write one JSON object to the file or, without one, alone to standard output")
    .action((model: string, options: Options) =>
      withJson(options.json, io, async () => measure(await openModel(model, options, io), options, io), text),
    );
}

async function measure(model: Model, options: Options, { signal }: Io): Promise<Measured> {
  const { vocabSize, contextLength, numLayers } = model.config;
  const promptTokens = Math.min(options.promptTokens, contextLength - 1);
  const newTokens = Math.min(options.newTokens, contextLength - promptTokens);
  const prompt = Array.from({ length: promptTokens }, (_, i) => (7 * i + 1) % vocabSize);
  // Random weights and stop ids are no matter here: the reply is as long as is asked.
  const endless = { ...model, config: { ...model.config, stopIds: [] } };
  await evaluate(model, [prompt.slice(0, 2)]); // kernels are compiled, buffers made
  let [promptMs, msPerToken] = [Infinity, Infinity];
  for (let round = 0; round < options.rounds; round++) {
    const onFinish = (summary: { timings: { promptMs: number; generationMs: number } }) => {
      promptMs = Math.min(promptMs, summary.timings.promptMs);
      if (newTokens > 1) msPerToken = Math.min(msPerToken, summary.timings.generationMs / (newTokens - 1));
    };
    const cache = growingCache({ numLayers });
    for await (const _ of generate(endless, prompt, { maxTokens: newTokens, cache, signal, onFinish }))
      signal.throwIfAborted();
  }
  return {
    device: model.params.embedding.weight.device.name,
    promptTokens,
    newTokens,
    prompt: { tokensPerSecond: (1000 * promptTokens) / promptMs, ms: promptMs },
    reply: { tokensPerSecond: 1000 / msPerToken, msPerToken },
  };
}

function text({ device, promptTokens, newTokens, prompt, reply }: Measured): string {
  return [
    `${device}, the best round:`,
    `reading  ${promptTokens} tokens  ${prompt.tokensPerSecond.toFixed(1)} tokens/s`,
    `writing  ${newTokens} tokens  ${reply.tokensPerSecond.toFixed(1)} tokens/s`,
    "",
  ].join("\n");
}
