import { ArgumentError } from "@qkv/core";
import { exportModel, type ExportOptions, type StoredType } from "@qkv/transformer/export";
import { Option, type Command } from "commander";
import type { Io } from "../io.js";
import { withJson } from "../json-result.js";
import { modelHelp, openAny } from "../open-model.js";
import { progressLine } from "../progress-line.js";

type Options = {
  to: ExportOptions["to"];
  tokenizer?: string;
  dtype: StoredType;
  shardSize?: number;
  opset?: string;
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
        "hf: a folder as Hugging Face lays it out, which transformers, vLLM, SGLang and TGI read; onnx: the same with a graph, for ONNX Runtime and transformers.js",
      )
        .choices(["hf", "onnx"])
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
      "hf: begin another file after so many bytes of tensors (default: 5e9)",
      Number,
    )
    .addOption(
      new Option(
        "--opset <version>",
        "onnx: 23, or 17 for runtimes that lack its operators (default: 23)",
      ).choices(["17", "23"]),
    )
    .option("--json [file]", "write one JSON object to the file or, without one, alone to standard output")
    .addHelpText("after", "\nExample:\n  qkv export @qkv/model-tiny --to hf model-tiny")
    .action((model: string, out: string, options: Options) =>
      withJson(options.json, io, () => runExport(model, out, options, io), said),
    );
}

async function runExport(source: string, out: string, options: Options, io: Io): Promise<Exported> {
  const { to, dtype, tokenizer } = options;
  const { err, signal } = io;
  const model = await openAny(source, { device: "js", ...(tokenizer && { tokenizer }) }, io);
  const line = progressLine(err);
  let bytes = 0;
  try {
    await exportModel(model, {
      ...formatOptions(options),
      out,
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

/** What a format is told. */
function formatOptions({ to, dtype, shardSize, opset }: Options): Omit<ExportOptions, "out"> {
  const misplaced =
    (to !== "hf" && shardSize !== undefined && "--shard-size") || (to !== "onnx" && opset && "--opset");
  if (misplaced) {
    throw new ArgumentError({
      fn: "qkv export",
      argument: misplaced,
      received: misplaced === "--opset" ? opset : shardSize,
      expected: `nothing with --to ${to}`,
      fix: `leave it out, or export ${misplaced === "--opset" ? "--to onnx" : "--to hf"}.`,
    });
  }
  if (to === "hf") return { to, dtype, ...(shardSize !== undefined && { shardBytes: shardSize }) };
  return { to, dtype, ...(opset !== undefined && { opset: opset === "17" ? 17 : 23 }) };
}

const said = ({ out, dtype, bytes }: Exported) =>
  `${out}: ${(bytes / 2 ** 20).toFixed(1)} MiB of weights in ${dtype}\n`;
