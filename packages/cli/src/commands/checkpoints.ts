import { knownCheckpoints, type KnownCheckpoint } from "@qkv/transformer";
import type { Command } from "commander";
import type { Io } from "../io.js";
import { withJson } from "../json-result.js";

/** Adds `qkv checkpoints`: lists the architectures that can be loaded. */
export function addCheckpoints(program: Command, io: Io): void {
  program
    .command("checkpoints")
    .summary("list the architectures that can be loaded")
    .description(
      "Lists the architectures that can be loaded: by `model_type` of a config.json, and by `general.architecture` of a GGUF file, with the function that loads them.",
    )
    .option("--json [file]", "write one JSON list to the file; without a file, print only that list")
    .action((options: { json?: true | string }) =>
      withJson(options.json, io, async () => knownCheckpoints(), formatRows),
    );
}

function formatRows(checkpoints: readonly KnownCheckpoint[]): string {
  const width = Math.max(...checkpoints.map(({ name }) => name.length));
  return checkpoints
    .toSorted((a, b) => a.format.localeCompare(b.format) || a.name.localeCompare(b.name))
    .map(({ format, name, loader }) => `${name.padEnd(width)}  ${format.padEnd(11)}  ${loader}\n`)
    .join("");
}
