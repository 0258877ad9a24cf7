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
      "Prints one embedding per text, computed by the model's modules (of unit norm if it has none), or the similarities of the texts. Texts are arguments or the lines of standard input.",
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
      "print the cosine similarity of each text with each, a row of values per text; blank lines are left out",
    )
    .option(
      "--json [file]",
      "write { texts, embeddings }, and similarities, to the file; without a file, print only that object",
    )
    .action((model: string, texts: string[], options: Options) => runEmbed(model, texts, options, io));
}

async function runEmbed(source: string, texts: string[], options: Options, io: Io): Promise<void> {
  const work = async (): Promise<EmbedResult> => {
    const model = await openEncoder(source, options, io);
    const pooling = options.pooling ?? (await folderPooling(source, model, io));
    const inputs = [...texts];
    // Blank lines have no meaningful embedding.
    const isUsed = (line: string) => !options.similarity || line.trim() !== "";
    if (texts.length === 0) for await (const line of readLines(io.in)) if (isUsed(line)) inputs.push(line);
    const vectors = await embed(model, inputs, { ...(pooling && { pooling }), signal: io.signal });
    const embeddings = vectors.map((vector) => Array.from(vector));
    return { texts: inputs, embeddings, ...(options.similarity && { similarities: cosines(embeddings) }) };
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
  const norms = embeddings.map((vector) => Math.hypot(...vector) || 1);
  return embeddings.map((a, i) =>
    embeddings.map((b, j) => a.reduce((sum, x, c) => sum + x * b[c]!, 0) / (norms[i]! * norms[j]!)),
  );
}
