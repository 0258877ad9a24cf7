import { evaluate, type Evaluation } from "@qkv/transformer";
import type { Command } from "commander";
import { inputFiles } from "../input-files.js";
import type { Io } from "../io.js";
import { readText, withJson } from "../json-result.js";
import { modelHelp, openModel, withModelOptions, type ModelOptions } from "../open-model.js";
import { progressLine } from "../progress-line.js";

type Options = ModelOptions & { json?: true | string };

/** Adds `qkv eval`: loss, perplexity and bits per byte on texts. */
export function addEval(program: Command, io: Io): void {
  const command = program
    .command("eval")
    .summary("measure how well a model predicts texts")
    .description(
      "Prints the loss, perplexity and bits per byte of texts, read from files or standard input. " +
        "<|endoftext|> separates texts within a file.",
    )
    .argument("<model>", modelHelp)
    .argument("[files...]", "text files (default: standard input)");
  withModelOptions(command)
    .option("--json [file]", "write one JSON object to the file; without a file, print only that object")
    .action((model: string, files: string[], options: Options) => runEval(model, files, options, io));
}

async function runEval(source: string, files: string[], options: Options, io: Io): Promise<void> {
  const work = async (): Promise<Evaluation> => {
    const model = await openModel(source, options, io);
    const texts: string[] = [];
    for (const input of inputFiles(files, io.in, io.signal)) texts.push(...splitTexts(await readText(input)));
    const line = progressLine(io.err);
    try {
      return await evaluate(model, texts, {
        signal: io.signal,
        onProgress: (tokens) => line.show(undefined, `${tokens} tokens`),
      });
    } finally {
      line.clear();
    }
  };
  const text = ({ tokens, loss, perplexity, bitsPerByte }: Evaluation) =>
    [
      `tokens         ${tokens}`,
      `loss           ${loss.toFixed(4)} nats per token`,
      `perplexity     ${perplexity.toFixed(3)}`,
      ...(bitsPerByte === undefined ? [] : [`bits per byte  ${bitsPerByte.toFixed(4)}`]),
      "",
    ].join("\n");
  await withJson(options.json, io, work, text);
}

/** Separator of texts in a file. */
const separator = "<|endoftext|>";

/** Splits a file into its texts at separators. */
function splitTexts(file: string): string[] {
  if (!file.includes(separator)) return [file];
  return file
    .split(separator)
    .map((text) => text.trim())
    .filter((text) => text !== "");
}
