import { ArgumentError } from "@qkv/core";
import { addAttentionMaps, type AttentionMap, type SkippedNode } from "@qkv/lens/onnx";
import { Option, type Command } from "commander";
import { copyFile, mkdir, realpath } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import type { Io } from "../io.js";
import { withJson } from "../json-result.js";
import { unreadable } from "../missing-file.js";
import { openOutputFile } from "../output-file.js";

type OnnxOptions = { out?: string; name: string; decompose: "needed" | "all"; json?: true | string };

type LensOnnxResult = {
  /** The file that was written; undefined where maps were only listed. */
  out: string | undefined;
  maps: AttentionMap[];
  skipped: SkippedNode[];
  /** Files of weights in the folder of the model. */
  externalData: string[];
};

/** Adds `qkv lens onnx`: adds attention maps to the outputs of an ONNX file. */
export function addLens(program: Command, io: Io): void {
  program
    .command("lens")
    .summary("look inside a model")
    .description("Looks inside models.")
    .command("onnx")
    .summary("add attention weights to the outputs of an ONNX model")
    .description(
      "Finds attention in an ONNX model and adds its weights as outputs, so that ONNX Runtime gives the maps of a model that was exported without them. Without --out, lists what it finds.",
    )
    .argument("<model>", "an .onnx file")
    .option("--out <file>", "the model with its maps; files of weights beside the model are copied beside it")
    .option("--name <name>", "first part of the names of outputs", "attentions")
    .addOption(
      new Option(
        "--decompose <which>",
        "fused operators to replace by the operators that they are composed of: those that need it, or all",
      )
        .choices(["needed", "all"])
        .default("needed"),
    )
    .option("--json [file]", "write one JSON object to the file; without a file, print only that object")
    .addHelpText("after", "\nExample:\n  qkv lens onnx model.onnx --out with-maps.onnx")
    .action((model: string, options: OnnxOptions) =>
      withJson(options.json, io, () => lensOnnx(model, options, io), listed),
    );
}

async function lensOnnx(
  path: string,
  { out, name, decompose }: OnnxOptions,
  { signal }: Io,
): Promise<LensOnnxResult> {
  const model = await addAttentionMaps(path, { name, decompose, signal });
  const { maps, skipped, externalData, chunks } = model;
  if (out !== undefined) {
    await refuseSameFile(path, out);
    const file = await openOutputFile(out, "--out");
    try {
      await file.finish(chunks());
    } finally {
      await file.discard();
    }
    const folders = [dirname(resolve(path)), dirname(resolve(out))] as const;
    if (folders[0] !== folders[1]) {
      for (const location of externalData) await copyBeside(location, folders);
    }
  }
  return { out, maps, skipped, externalData };
}

/** Refuses to overwrite the model, which is read while the new file is written. */
async function refuseSameFile(path: string, out: string): Promise<void> {
  const [from, to] = await Promise.all([path, out].map((each) => realpath(each).catch(() => undefined)));
  if (from === undefined || from !== to) return;
  throw new ArgumentError({
    fn: "qkv lens onnx",
    argument: "--out",
    received: out,
    expected: "another file than the model",
    fix: "name a new file beside it: its files of weights serve both.",
  });
}

/** Copies a file of weights under its name to the folder of the new model. */
async function copyBeside(location: string, [from, to]: readonly [string, string]): Promise<void> {
  const [source, target] = [join(from, location), join(to, location)];
  const inside = relative(to, target);
  if (inside.startsWith("..") || isAbsolute(inside)) {
    throw new ArgumentError({
      fn: "qkv lens onnx",
      argument: "model",
      received: location,
      expected: "a file in the folder of the model",
      fix: "write the new model into the folder of the old one.",
    });
  }
  try {
    await mkdir(dirname(target), { recursive: true });
    await copyFile(source, target);
  } catch (cause) {
    throw await unreadable(source, { argument: "model", what: "a file of its weights" }, cause);
  }
}

function listed({ out, maps, skipped }: LensOnnxResult): string {
  const width = Math.max(0, ...maps.map(({ name }) => name.length));
  const lines = [
    ...maps.map(
      ({ name, shape, how, operator, node }) =>
        `${name.padEnd(width)}  [${shape?.join(", ") ?? "?"}]  ${how}: ${operator} ${node}`,
    ),
    ...skipped.map(({ node, operator, reason }) => `skipped: ${operator} ${node}: ${reason}`),
    ...(maps.length === 0 ? ["no attention found"] : []),
    ...(out === undefined ? [] : [`${out}: ${maps.length} maps`]),
  ];
  return `${lines.join("\n")}\n`;
}
