import type { Command } from "commander";
import {
  beamsFromOptions,
  processorsFromOptions,
  withBeamOptions,
  type BeamOptions,
  type Beams,
} from "../beam-options.js";
import { cacheNames, cacheOption } from "../cache-option.js";
import { continuePrompt } from "../continue-prompt.js";
import type { Input, Io } from "../io.js";
import { readText } from "../json-result.js";
import { embeddedModel, modelHelp, openModel, withModelOptions, type ModelOptions } from "../open-model.js";
import { openOutputFile } from "../output-file.js";
import {
  maxTokens,
  samplingFromOptions,
  withSamplingOptions,
  type SamplingOptions,
} from "../sampling-options.js";

type Options = ModelOptions &
  SamplingOptions &
  BeamOptions & {
    prompt?: string;
    maxTokens: number;
    stop?: string[];
    speculate?: true;
    cache: string;
    json?: true | string;
  };

/** Adds `qkv generate`: a model continues a prompt. */
export function addGenerate(program: Command, io: Io): void {
  const command = program
    .command("generate")
    .summary("generate text from a prompt")
    .description("Generates text from a prompt and prints it to standard output, token by token.")
    .argument("[model]", modelHelp, embeddedModel)
    .option("--prompt <text>", "the text to continue; - reads it from standard input, as a pipe does")
    .option("--max-tokens <n>", "maximum number of tokens to generate", maxTokens, 256)
    .option("--stop <texts...>", "stop before any of these texts")
    .option(
      "--speculate",
      "speculative decoding by prompt lookup: the same text, faster if it repeats itself",
    );
  withBeamOptions(withSamplingOptions(withModelOptions(command)))
    .option("--cache <name>", `kind of KV cache: ${cacheNames.join(", ")}`, "growing")
    .option("--json [file]", "write one JSON object to the file; without a file, print only that object")
    .addHelpText(
      "after",
      '\nExamples:\n  qkv generate --prompt "Once upon a time"\n  echo "Once upon a time" | qkv generate\n  qkv generate stories260K.bin --tokenizer tok512.bin',
    )
    .action((model: string, options: Options) => {
      const beams = beamsFromOptions(options, (name) => command.getOptionValueSource(name) === "cli");
      return runGenerate(model, options, beams, io);
    });
}

/** The text to continue: that of the option, else that of standard input if a pipe or a file has one, without its last line break. */
async function promptText(option: string | undefined, input: Input): Promise<string> {
  if (option !== undefined && option !== "-") return option;
  if (option === undefined && input.isPiped !== true) return "";
  return (await readText(input)).replace(/\r?\n$/, "");
}

async function runGenerate(
  source: string,
  options: Options,
  beams: Beams | undefined,
  io: Io,
): Promise<void> {
  const { out, err, signal } = io;
  const { json, maxTokens } = options;
  const makeCache = cacheOption(options.cache);
  const sampling = samplingFromOptions(options);
  const prompt = await promptText(options.prompt, io.in);
  const file = typeof json === "string" ? await openOutputFile(json, "--json") : undefined;

  // With --json and no file, standard output has only the object, and a terminal shows the text on standard error.
  const screen = json !== true ? out : err.isTTY ? err : undefined;
  let shown = false;
  const show = (text: string) => {
    screen?.write(text);
    shown = true;
  };
  try {
    const open = () => openModel(source, options, { err, signal });
    const result = await continuePrompt(open, {
      prompt,
      maxTokens,
      sampling,
      beams,
      processors: processorsFromOptions(options, beams),
      stop: options.stop ?? [],
      speculate: options.speculate ?? false,
      makeCache,
      signal,
      show,
    });
    if (json === true) out.write(`${JSON.stringify(result)}\n`);
    await file?.finish(`${JSON.stringify(result)}\n`);
    const { generateMs, tokensPerSecond } = result.timings;
    const count = `${result.tokens.length} tokens in ${(generateMs / 1000).toFixed(2)} s`;
    const sampled = beams === undefined && options.temperature > 0;
    const chosen = sampled ? `, seed ${sampling.seed}` : "";
    if (shown) screen?.write("\n");
    shown = false;
    err.write(`${count}, ${tokensPerSecond.toFixed(1)} tokens/s${chosen}\n`);
  } finally {
    if (shown) screen?.write("\n");
    await file?.discard();
  }
}
