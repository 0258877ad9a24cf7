import { ArgumentError } from "@qkv/core";
import {
  exportModel,
  type ExportOptions,
  type GgufStoredType,
  type StoredType,
} from "@qkv/transformer/export";
import { Option, type Command } from "commander";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Io } from "../io.js";
import { withJson } from "../json-result.js";
import { resolveModel, modelHelp, openAny } from "../open-model.js";
import { unwritable } from "../output-file.js";
import { progressLine } from "../progress-line.js";
import { readChatTemplateText } from "../read-chat-template.js";

type Options = {
  to: ExportOptions["to"];
  tokenizer?: string;
  dtype: GgufStoredType;
  shardSize?: number;
  opset?: string;
  json?: true | string;
};

type ExportResult = { to: string; out: string; dtype: GgufStoredType; bytes: number };

/** Adds `qkv export`: writes a model for other engines. */
export function addExport(program: Command, io: Io): void {
  program
    .command("export")
    .summary("convert a model for other engines")
    .description(
      "Converts a model for other engines. The output appears only when it is complete, so stopping the command never leaves a broken model.",
    )
    .argument("<model>", modelHelp)
    .argument("<out>", "a folder that does not exist yet; with gguf, a file")
    .addOption(
      new Option(
        "--to <format>",
        "hf: a Hugging Face folder, for transformers, vLLM, SGLang and TGI; onnx: the same with a graph, for ONNX Runtime and transformers.js; gguf: one file, for llama.cpp",
      )
        .choices(["hf", "onnx", "gguf"])
        .makeOptionMandatory(),
    )
    .option("--tokenizer <file>", "tokenizer file, if the model does not include one")
    .addOption(
      new Option("--dtype <type>", "number format; q8_0 (8 bits) is for gguf")
        .choices(["float32", "float16", "bfloat16", "q8_0"])
        .default("float32"),
    )
    .option("--shard-size <bytes>", "hf: maximum bytes of tensors per file (default: 5e9)", Number)
    .addOption(
      new Option(
        "--opset <version>",
        "onnx: 23, or 17 for runtimes without its operators (default: 23)",
      ).choices(["17", "23"]),
    )
    .option("--json [file]", "write one JSON object to the file; without a file, print only that object")
    .addHelpText(
      "after",
      "\nExamples:\n  qkv export @qkv/model-tiny --to hf model-tiny\n  qkv export @qkv/model-tiny --to gguf --dtype q8_0 model-tiny.gguf",
    )
    .action((model: string, out: string, options: Options) =>
      withJson(options.json, io, () => runExport(model, out, options, io), summary),
    );
}

async function runExport(source: string, out: string, options: Options, io: Io): Promise<ExportResult> {
  const { to, dtype, tokenizer } = options;
  const { err, signal } = io;
  const model = await openAny(source, { device: "js", ...(tokenizer && { tokenizer }) }, io);
  const chatTemplate = await readChatTemplateText(await resolveModel(source, { signal }));
  const line = progressLine(err);
  let bytes = 0;
  try {
    // As `qkv train` does for its output folder.
    await mkdir(dirname(out), { recursive: true }).catch((cause: unknown) => {
      throw unwritable(out, "out", cause);
    });
    await exportModel(
      { ...model, chatTemplate },
      {
        ...formatOptions(options),
        out,
        signal,
        onProgress({ written, total }) {
          bytes = total;
          line.show(written / total, `${out} ${(written / 2 ** 20).toFixed(1)} MiB`);
        },
      },
    );
  } finally {
    line.clear();
  }
  return { to, out, dtype, bytes };
}

/** The format that an option belongs to. */
const formatOfOption = { "--shard-size": "hf", "--opset": "onnx", "--dtype q8_0": "gguf" } as const;

/** Options of `exportModel` for the chosen format. Refuses options of other formats. */
function formatOptions({ to, dtype, shardSize, opset }: Options): WithoutOut {
  const formatSpecific = {
    "--shard-size": shardSize,
    "--opset": opset,
    "--dtype q8_0": dtype === "q8_0" || undefined,
  };
  for (const [argument, format] of Object.entries(formatOfOption)) {
    const received = formatSpecific[argument as keyof typeof formatSpecific];
    if (received === undefined || to === format) continue;
    throw new ArgumentError({
      fn: "qkv export",
      argument,
      received,
      expected: `nothing with --to ${to}`,
      fix: `leave it out, or export --to ${format}.`,
    });
  }
  if (to === "gguf") return { to, dtype };
  const floats = { dtype: dtype as StoredType };
  if (to === "hf") return { to, ...floats, ...(shardSize !== undefined && { shardBytes: shardSize }) };
  return { to, ...floats, ...(opset !== undefined && { opset: opset === "17" ? 17 : 23 }) };
}

type WithoutOut = ExportOptions extends infer T ? (T extends unknown ? Omit<T, "out"> : never) : never;

const summary = ({ out, dtype, bytes }: ExportResult) =>
  `${out}: ${(bytes / 2 ** 20).toFixed(1)} MiB of weights in ${dtype}\n`;
