import type { Command } from "commander";
import { cacheNames, cacheOption } from "../cache-option.js";
import { continuePrompt } from "../continue-prompt.js";
import { deviceNames, openDevice } from "../device-option.js";
import type { Io } from "../io.js";
import { numberOption } from "../number-option.js";
import { openOutputFile } from "../output-file.js";

type Options = {
  tokenizer: string;
  prompt: string;
  maxTokens: number;
  temperature: number;
  topP: number;
  seed?: number;
  device: string;
  cache: string;
  json?: true | string;
};

const maxTokens = numberOption("--max-tokens", {
  expected: "a whole number of tokens, 0 or more",
  fix: "give the most tokens to write, such as 256; the model's context ends it anyway.",
  accepts: (value) => Number.isSafeInteger(value) && value >= 0,
});
const temperature = numberOption("--temperature", {
  expected: "a number, 0 or more",
  fix: "use 0 for the likeliest token, about 0.8 for variety.",
  accepts: (value) => value >= 0,
});
const topP = numberOption("--top-p", {
  expected: "a number above 0, at most 1",
  fix: "use 1 to choose among all tokens, 0.9 to leave out the unlikeliest.",
  accepts: (value) => value > 0 && value <= 1,
});
const seed = numberOption("--seed", {
  expected: "a whole number",
  fix: "give any whole number; the same one gives the same text.",
  accepts: Number.isSafeInteger,
});

/** Adds `qkv generate`: a model continues a prompt. */
export function addGenerate(program: Command, io: Io): void {
  program
    .command("generate")
    .summary("let a model continue a prompt")
    .description("Lets a model continue a prompt, on standard output as it comes.")
    .argument("<model>", "a llama2.c checkpoint, as a path or URL")
    .requiredOption("--tokenizer <file>", "the tokenizer file that came with the model")
    .option("--prompt <text>", "the text to continue", "")
    .option("--max-tokens <n>", "write at most this many tokens", maxTokens, 256)
    .option("--temperature <t>", "0 takes the likeliest token; more is bolder", temperature, 1)
    .option("--top-p <p>", "choose among the likeliest tokens that together reach p", topP, 0.9)
    .option("--seed <s>", "the same seed gives the same text (default: another one each time)", seed)
    .option("--device <name>", `where to compute: ${deviceNames.join(", ")}`, "js")
    .option("--cache <name>", `how keys and values are kept: ${cacheNames.join(", ")}`, "growing")
    .option("--json [file]", "write one JSON object to the file or, without one, alone to standard output")
    .addHelpText(
      "after",
      '\nExample:\n  qkv generate stories260K.bin --tokenizer tok512.bin --prompt "Once upon a time"',
    )
    .action((model: string, options: Options) => runGenerate(model, options, io));
}

async function runGenerate(source: string, options: Options, { out, err, signal }: Io): Promise<void> {
  const { json, tokenizer, prompt, maxTokens, temperature, topP } = options;
  const makeCache = cacheOption(options.cache);
  const device = await openDevice(options.device);
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  const sampling = { temperature, topP, seed };
  const file = typeof json === "string" ? await openOutputFile(json, "--json") : undefined;

  // Under --json alone standard output belongs to the object; who sits at a terminal still sees the text come.
  const screen = json !== true ? out : err.isTTY ? err : undefined;
  let shown = false;
  const show = (text: string) => {
    screen?.write(text);
    shown = true;
  };
  try {
    const result = await continuePrompt(source, {
      tokenizer,
      prompt,
      maxTokens,
      sampling,
      device,
      makeCache,
      signal,
      show,
    });
    if (json === true) out.write(`${JSON.stringify(result)}\n`);
    await file?.finish(`${JSON.stringify(result)}\n`);
    const { generateMs, tokensPerSecond } = result.timings;
    const count = `${result.tokens.length} tokens in ${(generateMs / 1000).toFixed(2)} s`;
    const chosen = temperature > 0 ? `, seed ${seed}` : "";
    if (shown) screen?.write("\n");
    shown = false;
    err.write(`${count}, ${tokensPerSecond.toFixed(1)} tokens/s${chosen}\n`);
  } finally {
    if (shown) screen?.write("\n");
    await file?.discard();
  }
}
