import { ArgumentError, checks } from "@qkv/core";
import { findFile, readWhole } from "@qkv/core/byte-source";
import type { BatchStreamState } from "@qkv/transformer/data";
import { memoryFolder, type OutputFolder } from "@qkv/transformer/export";
import { readCheckpoint, writeCheckpoint, type Checkpoint } from "@qkv/transformer/training";
import type { Device } from "@qkv/tensor";
import { mkdir, readdir, rm, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { openOutputFile } from "./output-file.js";

const checkpointName = "checkpoint.safetensors";
const unfinished =
  /^(checkpoint|model|adapter_config|adapter_model|tokenizer|tokenizer_config|training|finetuning|config|generation_config|chat_template|curve)\.\w+\.[0-9a-f-]{36}\.tmp$/;

/** Metadata of a run's checkpoint. */
export type RunNotes = {
  /** Hyperparameters of the run; resuming requires the same. */
  recipe: unknown;
  /** Step, loss, and the validation loss if it was measured. */
  curve: (readonly [step: number, loss: number, evaluation: number | null])[];
  /** Position in the data, if they are a stream. */
  data?: BatchStreamState;
};

/** The folder of a run. Files are written atomically: a run that is killed leaves its last complete files. */
export type TrainingFolder = {
  /** The checkpoint in the folder. Undefined: none. */
  read<P>(device: Device): Promise<(Checkpoint<P> & { notes: RunNotes }) | undefined>;
  saveCheckpoint<P>(checkpoint: Checkpoint<P> & { notes: RunNotes }): Promise<void>;
  /** Saves files that `write` creates, such as those of a model or an adapter. */
  saveFiles(write: (out: OutputFolder) => Promise<unknown>): Promise<void>;
  saveText(name: string, text: string): Promise<void>;
};

/**
 * Opens the folder of a run for `work`, and creates it if it does not exist. If `work` fails before a file is saved, folders that were
 * created are removed.
 *
 * @throws {ArgumentError} If it cannot be created.
 */
export async function withTrainingFolder<T>(
  path: string,
  work: (folder: TrainingFolder) => Promise<T>,
): Promise<T> {
  let created: string | undefined;
  const folder = await openTrainingFolder(path, (first) => (created = first));
  try {
    return await work(folder);
  } catch (error) {
    if (created !== undefined) await removeEmpty(resolve(path), resolve(created)).catch(() => undefined);
    throw error;
  }
}

/** Removes a folder and those above it up to `last`. Rejects at one that is not empty. */
async function removeEmpty(folder: string, last: string): Promise<void> {
  for (let path = folder; path.length >= last.length; path = dirname(path)) await rmdir(path);
}

/** Opens the folder of a run; `onCreate` receives the first folder that was created. */
async function openTrainingFolder(path: string, onCreate: (first: string) => void): Promise<TrainingFolder> {
  try {
    const first = await mkdir(path, { recursive: true });
    if (first !== undefined) onCreate(first);
    // Removes unfinished files of a killed run.
    for (const name of await readdir(path))
      if (unfinished.test(name)) await rm(join(path, name), { force: true });
  } catch (cause) {
    throw new ArgumentError({
      fn: "qkv",
      argument: "--out",
      received: path,
      expected: "a folder that can be made, or is there",
      fix: "name a folder inside one that may be written.",
      cause,
    });
  }
  const save = async (name: string, content: string | Uint8Array) => {
    const file = await openOutputFile(join(path, name), "--out");
    try {
      await file.finish(content);
    } finally {
      await file.discard();
    }
  };
  return {
    async read<P>(device: Device) {
      const file = await findFile(join(path, checkpointName), {
        check: checks("qkv", { argument: "--out" }),
      });
      if (!file) return undefined;
      return (await readCheckpoint<P>(await readWhole(file), {
        device,
      })) as Checkpoint<P> & {
        notes: RunNotes;
      };
    },
    async saveCheckpoint(checkpoint) {
      await save(checkpointName, await writeCheckpoint(checkpoint));
    },
    async saveFiles(write) {
      const out = memoryFolder();
      await write(out);
      for (const file of out.files) await save(file.name, new Uint8Array(await file.arrayBuffer()));
    },
    saveText: save,
  };
}
