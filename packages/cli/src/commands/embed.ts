import { visibleText } from "@qkv/core";
import { embed, type EncoderModel, type Pooling } from "@qkv/transformer";
import { Option, type Command } from "commander";
import type { Io } from "../io.js";
import { readLines, withJson } from "../json-result.js";
import {
  encoderHelp,
  openEncoder,
  resolveModel,
  withModelOptions,
  type ModelOptions,
} from "../open-model.js";
import { poolings, readPooling } from "../pooling.js";

type Options = ModelOptions & { pooling?: Pooling; similarity?: true; json?: true | string };
type EmbedResult = { texts: string[]; embeddings: number[][]; similarities?: number[][] };

/** Adds `qkv embed`: embeds texts with an encoder. */
export function addEmbed(program: Command, io: Io): void {
  const command = program
    .command("embed")
    .summary("turn texts into embedding vectors")
    .description(
      "Prints one embedding per text, as the model's modules make it (of length 1 where it has none), or how similar the texts are. Texts are arguments or the lines of standard input.",
    )
    .argument("<model>", encoderHelp)
    .argument("[texts...]", "texts (default: the lines of standard input)");
  withModelOptions(command)
    .addOption(
      new Option(
        "--pooling <kind>",
        "how to combine the token embeddings, in place of the model's modules (default: as the model was trained)",
      ).choices(poolings),
    )
    .option(
      "--similarity",
      "print the cosine similarity of each text with each, a row of numbers per text; blank lines are left out",
    )
    .option(
      "--json [file]",
      "write { texts, embeddings }, and similarities, to the file; without a file, print only that object",
    )
    .action((model: string, texts: string[], options: Options) => runEmbed(model, texts, options, io));
}

async function runEmbed(source: string, given: string[], options: Options, io: Io): Promise<void> {
  const work = async (): Promise<EmbedResult> => {
    const model = await openEncoder(source, options, io);
    const pooling = options.pooling ?? (await folderPooling(source, model, io));
    const texts = [...given];
    // Blank lines have no meaningful embedding.
    const counts = (line: string) => !options.similarity || line.trim() !== "";
    if (given.length === 0) for await (const line of readLines(io.in)) if (counts(line)) texts.push(line);
    const vectors = await embed(model, texts, { ...(pooling && { pooling }), signal: io.signal });
    const embeddings = vectors.map((numbers) => Array.from(numbers));
    return { texts, embeddings, ...(options.similarity && { similarities: cosines(embeddings) }) };
  };
  await withJson(options.json, io, work, ({ texts, embeddings, similarities }) =>
    similarities
      ? similarities
          .map(
            (row, i) => `${row.map((x) => x.toFixed(4).padStart(7)).join(" ")}  ${visibleText(texts[i]!)}\n`,
          )
          .join("")
      : embeddings.map((row) => `${row.map((x) => x.toFixed(6)).join(" ")}\n`).join(""),
  );
}

/** The pooling of a folder without `modules.json`; undefined if `embed` runs its modules. */
async function folderPooling(
  source: string,
  { sentence }: EncoderModel,
  { signal }: Io,
): Promise<Pooling | undefined> {
  return sentence ? undefined : readPooling(await resolveModel(source, { signal }));
}

/** Cosine similarities of all pairs of embeddings. */
function cosines(embeddings: readonly (readonly number[])[]): number[][] {
  const lengths = embeddings.map((numbers) => Math.hypot(...numbers) || 1);
  return embeddings.map((a, i) =>
    embeddings.map((b, j) => a.reduce((sum, x, c) => sum + x * b[c]!, 0) / (lengths[i]! * lengths[j]!)),
  );
}
