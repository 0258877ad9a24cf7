import { checks, FormatError } from "@qkv/core";
import { hubCacheFolder, hubSnapshot } from "@qkv/transformer";
import type { Command } from "commander";
import { createReadStream } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { createChecksum, type Checksum } from "../checksum.js";
import type { Io } from "../io.js";
import { withJson } from "../json-result.js";
import { looksLikePath, missingFile } from "../missing-file.js";

/** A file of a model. `unchecked`: its cached name is not a checksum. `missing`: a symbolic link whose target does not exist. */
type VerifiedFile = { name: string; bytes: number; state: "intact" | "damaged" | "unchecked" | "missing" };

type VerifyResult = { folder: string; files: VerifiedFile[] };

/** Adds `qkv verify`: compares the files of a downloaded model with the checksums of the hub. */
export function addVerify(program: Command, io: Io): void {
  program
    .command("verify")
    .summary("compare the files of a downloaded model with the checksums of the hub")
    .description(
      "Compares the files of a model in the hub's cache with the checksums that name their contents. Makes no network request. Exits with code 1 if a file is damaged or missing.",
    )
    .argument("<model>", "a repository of the hub, owner/name, or the folder of one in the hub's cache")
    .option("--json [file]", "write one JSON object to the file; without a file, print only that object")
    .action(async (model: string, options: { json?: true | string }) => {
      let result: VerifyResult | undefined;
      const work = async () => (result = await verify(model, io));
      await withJson(options.json, io, work, formatResult);
      refuseDamaged(result!);
    });
}

async function verify(model: string, { signal }: Io): Promise<VerifyResult> {
  const folder = await modelFolder(model);
  const files: VerifiedFile[] = [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((entry) => !entry.isDirectory())) {
    signal.throwIfAborted();
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).replaceAll("\\", "/");
    const content = await realpath(path).catch(() => undefined);
    if (content === undefined) files.push({ name, bytes: 0, state: "missing" });
    else files.push({ name, ...(await verifyContent(content, signal)) });
  }
  if (files.length === 0)
    refuse(model, "the folder of a downloaded model, and this one is empty", nameOrFolder);
  files.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { folder, files };
}

/** The folder of a downloaded model, by its path or by the name of its repository. */
async function modelFolder(model: string): Promise<string> {
  const found = await stat(model).catch(() => undefined);
  if (found?.isDirectory()) return model;
  if (found) return refuse(model, "the folder of a downloaded model, and this is a file", nameOrFolder);
  const cache = process.env["QKV_CACHE"];
  const isRepository = /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(model);
  const snapshot = isRepository && (await hubSnapshot(model, cache === undefined ? {} : { cache }));
  if (snapshot) return snapshot;
  if (!isRepository || looksLikePath(model))
    throw await missingFile(model, { argument: "model", what: "a downloaded model", fix: nameOrFolder });
  return refuse(
    model,
    `a downloaded model, and the hub's cache, ${cache ?? hubCacheFolder()}, has none of this name`,
    `check the name, or download it first: \`qkv inspect ${model}\`.`,
  );
}

const nameOrFolder = "give the name of a repository that was downloaded, or its folder in the hub's cache.";

const refuse = (received: string, expected: string, fix: string): never =>
  checks("qkv").refuse({ argument: "model", received, expected, fix });

/** Compares the checksum of a file with its name: a SHA-256, or git's SHA-1. */
async function verifyContent(path: string, signal: AbortSignal): Promise<Omit<VerifiedFile, "name">> {
  const { size: bytes } = await stat(path);
  const [digest] = /^([0-9a-f]{64}|[0-9a-f]{40})$/.exec(basename(path)) ?? [];
  if (digest === undefined) return { bytes, state: "unchecked" };
  const algorithm: Checksum["algorithm"] = digest.length === 64 ? "sha256" : "git-sha1";
  const sum = createChecksum({ algorithm, digest }, bytes)!;
  for await (const chunk of createReadStream(path, { signal })) sum.update(chunk as Uint8Array);
  return { bytes, state: sum.matches() ? "intact" : "damaged" };
}

const formatResult = ({ files }: VerifyResult): string =>
  files
    .map(({ name, bytes, state }) => `${state.padEnd(9)} ${String(bytes).padStart(12)}  ${name}\n`)
    .join("");

function refuseDamaged({ folder, files }: VerifyResult): void {
  const bad = files.filter(({ state }) => state === "damaged" || state === "missing");
  if (bad.length === 0) return;
  checks("qkv").refuse(
    {
      argument: "model",
      received: bad.map(({ name, state }) => `${name} (${state})`).join(", "),
      expected: "files whose checksums equal those of the hub",
      fix: `remove them and the files that they link to from ${folder}, and download them again.`,
    },
    FormatError,
  );
}
