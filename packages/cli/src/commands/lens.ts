import { ArgumentError } from "@qkv/core";
import { addAttentionMaps, type AttentionMap, type SkippedNode } from "@qkv/lens/onnx";
import { Option, type Command } from "commander";
import { createReadStream } from "node:fs";
import { lstat, realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { openExplorerServer } from "../explorer-server.js";
import type { Io } from "../io.js";
import { withJson } from "../json-result.js";
import { unreadable } from "../missing-file.js";
import { numberOption } from "../number-option.js";
import { openBrowser } from "../open-browser.js";
import { embeddedModel, modelHelp, resolveModel } from "../open-model.js";
import { openOutputFile } from "../output-file.js";
import { progressLine } from "../progress-line.js";

type OnnxOptions = {
  out?: string;
  force?: boolean;
  name: string;
  decompose: "needed" | "all";
  json?: true | string;
};

type ExplorerOptions = { port: number; open: boolean };

const portRule = {
  expected: "an integer from 0 to 65535",
  fix: "leave --port out for a free one.",
  accepts: (port: number) => Number.isInteger(port) && port >= 0 && port <= 65535,
};

type LensOnnxResult = {
  /** The written file; undefined if maps were only listed. */
  out: string | undefined;
  maps: AttentionMap[];
  skipped: SkippedNode[];
  /** Names of external data files in the folder of the model. */
  externalData: string[];
};

/** Adds `qkv lens`, which opens the explorer on a model, and `qkv lens onnx`, which adds attention maps to the outputs of an ONNX file. */
export function addLens(program: Command, io: Io): void {
  const lens = program
    .command("lens")
    .summary("look inside a model, in the browser")
    .description(
      "Opens the explorer on a model: heads and their reasons, the logit lens, direct logit attribution, ablation, patches between two texts. It is served to this machine alone, and ends with Ctrl-C.",
    )
    .argument("[model]", modelHelp, embeddedModel)
    .option("--port <number>", "port of the page; 0 is a free one", numberOption("--port", portRule), 0)
    .option("--no-open", "only print the address")
    .addHelpText("after", "\nExample:\n  qkv lens Qwen/Qwen3-0.6B")
    .action((model: string, options: ExplorerOptions) => explore(model, options, io));
  lens
    .command("onnx")
    .summary("add attention weights to the outputs of an ONNX model")
    .description(
      "Finds attention in an ONNX model and adds its weights as outputs, so that ONNX Runtime returns the maps of a model that was exported without them. Without --out, lists what it finds.",
    )
    .argument("<model>", "an .onnx file")
    .option("--out <file>", "the model with its maps; files of weights beside the model are copied beside it")
    .option("--force", "replace files that exist")
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
      withJson(options.json, io, () => lensOnnx(model, options, io), formatResult),
    );
}

/** Serves the explorer until the signal aborts. */
async function explore(model: string, { port, open }: ExplorerOptions, io: Io): Promise<void> {
  const line = progressLine(io.err);
  const onProgress = ({ loaded, total }: { loaded: number; total: number | undefined }) =>
    line.show(total && loaded / total, `${(loaded / 2 ** 20).toFixed(1)} MiB`);
  const source = await resolveModel(model, { signal: io.signal, onProgress }).finally(() => line.clear());
  const server = await openExplorerServer({ name: model, source }, port);
  io.out.write(`${server.address}\n`);
  if (open) openBrowser(server.address);
  await new Promise<void>((done) => {
    if (io.signal.aborted) done();
    io.signal.addEventListener("abort", () => done(), { once: true });
  });
  await server.close();
}

async function lensOnnx(
  path: string,
  { out, force = false, name, decompose }: OnnxOptions,
  { signal }: Io,
): Promise<LensOnnxResult> {
  const model = await addAttentionMaps(path, { name, decompose, signal });
  const { maps, skipped, externalData, chunks } = model;
  if (out !== undefined) {
    await refuseSameFile(path, out);
    if (!force) await refuseExisting(out);
    const folders = [dirname(resolve(path)), dirname(resolve(out))] as const;
    const copied = folders[0] === folders[1] ? [] : externalData;
    for (const location of copied) await checkCopy(location, folders, out, force);
    const file = await openOutputFile(out, "--out");
    try {
      await file.finish(chunks());
      for (const location of copied) await copyBeside(location, folders);
    } finally {
      await file.discard();
    }
  }
  return { out, maps, skipped, externalData };
}

/** Refuses to overwrite the model, which is read while the new file is written. */
async function refuseSameFile(path: string, out: string): Promise<void> {
  const [from, to] = await Promise.all([path, out].map((file) => realpath(file).catch(() => undefined)));
  if (from === undefined || from !== to) return;
  throw new ArgumentError({
    fn: "qkv lens onnx",
    argument: "--out",
    received: out,
    expected: "another file than the model",
    fix: "name a new file beside it: its files of weights serve both.",
  });
}

/** Refuses to replace a file that is there. */
async function refuseExisting(path: string): Promise<void> {
  if ((await lstat(path).catch(() => undefined)) === undefined) return;
  throw new ArgumentError({
    fn: "qkv lens onnx",
    argument: "--out",
    received: path,
    expected: "a file that does not exist yet",
    fix: "name another one, or add --force to replace it.",
  });
}

/**
 * Refuses an external data file that the model may not have copied: the model names it, and a name may be any path. It is a plain name
 * of a file beside the model, no link, and replaces nothing but its like.
 */
async function checkCopy(
  location: string,
  [from, to]: readonly [string, string],
  out: string,
  force: boolean,
): Promise<void> {
  const refuse = (expected: string): never => {
    throw new ArgumentError({
      fn: "qkv lens onnx",
      argument: "model",
      received: location,
      expected,
      fix: "write the new model into the folder of the old one: its files of weights serve both.",
    });
  };
  if (!/^\w[\w.-]*$/.test(location) || location === basename(out))
    refuse("names of files beside the model, such as model.onnx_data, and another than the new model's");
  const source = await lstat(join(from, location)).catch(async (cause: unknown) => {
    throw await unreadable(join(from, location), { argument: "model", what: "a file of its weights" }, cause);
  });
  if (!source.isFile()) refuse("a file beside the model, and no link");
  const target = await lstat(join(to, location)).catch(() => undefined);
  if (target?.isSymbolicLink()) refuse("a place that holds no link");
  if (target && !force) await refuseExisting(join(to, location));
}

/** Copies an external data file to the folder of the new model. */
async function copyBeside(location: string, [from, to]: readonly [string, string]): Promise<void> {
  const file = await openOutputFile(join(to, location), "--out");
  try {
    await file.finish(createReadStream(join(from, location)));
  } finally {
    await file.discard();
  }
}

function formatResult({ out, maps, skipped }: LensOnnxResult): string {
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
