import { embed, type Pooling } from "@qkv/transformer";
import { Option, type Command } from "commander";
import type { Io } from "../io.js";
import { linesOf, withJson } from "../json-result.js";
import { resolveModel, modelHelp, openEncoder, withModelOptions, type ModelOptions } from "../open-model.js";
import { poolings, readPooling } from "../pooling.js";

type Options = ModelOptions & { pooling?: Pooling; json?: true | string };
type EmbedResult = { texts: string[]; embeddings: number[][] };

/** Adds `qkv embed`: a vector for each text, by an encoder. */
export function addEmbed(program: Command, io: Io): void {
  const command = program
    .command("embed")
    .summary("turn texts into embedding vectors")
    .description(
      "Prints one unit-length embedding per text. Texts are arguments or the lines of standard input.",
    )
    .argument("<model>", `an encoder such as BERT: ${modelHelp}`)
    .argument("[texts...]", "texts (default: the lines of standard input)");
  withModelOptions(command)
    .addOption(
      new Option(
        "--pooling <kind>",
        "how to combine the token embeddings (default: as the model was trained)",
      ).choices(poolings),
    )
    .option(
      "--json [file]",
      "write { texts, embeddings } to the file; without a file, print only that object",
    )
    .action((model: string, texts: string[], options: Options) => runEmbed(model, texts, options, io));
}

async function runEmbed(source: string, given: string[], options: Options, io: Io): Promise<void> {
  const work = async (): Promise<EmbedResult> => {
    const model = await openEncoder(source, options, io);
    const pooling = options.pooling ?? (await readPooling(await resolveModel(source, { signal: io.signal })));
    const texts = [...given];
    if (given.length === 0) for await (const line of linesOf(io.in)) texts.push(line);
    const embeddings = await embed(model, texts, { pooling, signal: io.signal });
    return { texts, embeddings: embeddings.map((numbers) => Array.from(numbers)) };
  };
  const lines = ({ embeddings }: EmbedResult) =>
    embeddings.map((row) => `${row.map((x) => x.toFixed(6)).join(" ")}\n`).join("");
  await withJson(options.json, io, work, lines);
}
