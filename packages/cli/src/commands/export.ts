import { exportModel, type StoredType } from "@qkv/transformer/export";
import { Option, type Command } from "commander";
import type { Io } from "../io.js";
import { withJson } from "../json-result.js";
import { modelHelp, openAny } from "../open-model.js";
import { progressLine } from "../progress-line.js";

type Options = {
  to: "hf";
  tokenizer?: string;
  dtype: StoredType;
  shardSize?: number;
  json?: true | string;
};

type Exported = { to: string; out: string; dtype: StoredType; bytes: number };

/** Adds `qkv export`: a model as others read it. */
export function addExport(program: Command, io: Io): void {
  program
    .command("export")
    .summary("write a model as other engines read it")
    .description(
      "Writes a model as other engines read it. The folder appears when it is whole: stopped at any moment, the command leaves nothing that loads.",
    )
    .argument("<model>", modelHelp)
    .argument("<out>", "a folder that does not exist yet")
    .addOption(
      new Option(
        "--to <format>",
        "hf: a folder as Hugging Face lays it out, which transformers, vLLM, SGLang and TGI read",
      )
        .choices(["hf"])
        .makeOptionMandatory(),
    )
    .option("--tokenizer <file>", "the tokenizer's file, where it does not come with the model")
    .addOption(
      new Option("--dtype <type>", "how numbers are stored; 16 bits round to the nearest")
        .choices(["float32", "float16", "bfloat16"])
        .default("float32"),
    )
    .option(
      "--shard-size <bytes>",
      "begin another file after so many bytes of tensors (default: 5e9)",
      Number,
    )
    .option("--json [file]", "write one JSON object to the file or, without one, alone to standard output")
    .addHelpText("after", "\nExample:\n  qkv export @qkv/model-tiny --to hf model-tiny")
    .action((model: string, out: string, options: Options) =>
      withJson(options.json, io, () => runExport(model, out, options, io), said),
    );
}

async function runExport(source: string, out: string, options: Options, io: Io): Promise<Exported> {
  const { to, dtype, shardSize, tokenizer } = options;
  const { err, signal } = io;
  const model = await openAny(source, { device: "js", ...(tokenizer && { tokenizer }) }, io);
  const line = progressLine(err);
  let bytes = 0;
  try {
    await exportModel(model, {
      to,
      out,
      dtype,
      ...(shardSize !== undefined && { shardBytes: shardSize }),
      signal,
      onProgress({ written, total }) {
        bytes = total;
        line.show(written / total, `${out} ${(written / 2 ** 20).toFixed(1)} MiB`);
      },
    });
  } finally {
    line.clear();
  }
  return { to, out, dtype, bytes };
}

const said = ({ out, dtype, bytes }: Exported) =>
  `${out}: ${(bytes / 2 ** 20).toFixed(1)} MiB of weights in ${dtype}\n`;
