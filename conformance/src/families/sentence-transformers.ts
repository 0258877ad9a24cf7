import type { Tensor } from "@qkv/tensor";
import { loadAny, sentenceEmbedding, type EncoderModel, type Model } from "@qkv/transformer";
import type { DataFolder } from "../../data-folder.mjs";
import type { Case, Source, Target } from "../case.js";
import { compareNumbers, mismatch, type Check } from "../check.js";
import { readTensor, type ReferenceTensor } from "../reference-tensor.js";
import { toTensor } from "../to-tensor.js";
import { tolerance } from "../tolerance.js";
import { rowsOf } from "./hf-encoders.js";

export type SentenceEntry = { name: string; prompt_length?: number; inputs: unknown[]; outputs: unknown[] };

const family = "sentence-transformers";

/** `sentence-transformers/NAME/`: complete embedding models, with the vectors after each module. */
export const sentenceTransformers = (data: DataFolder): Source[] =>
  data.folders(family).map((folder) => {
    const file = `${family}/${folder}/refs.json`;
    const { cases } = data.json(file) as { cases: SentenceEntry[] };
    return { family, file, cases: casesOf(data, folder, cases) };
  });

function casesOf(data: DataFolder, folder: string, entries: readonly SentenceEntry[]): Case[] {
  const opened = new Map<Target["device"], Promise<Model | EncoderModel>>();
  const open = ({ device }: Target) => {
    const model =
      opened.get(device) ??
      (loadAny(sentenceFiles(data, `${family}/${folder}`), { device }) as Promise<Model | EncoderModel>);
    opened.set(device, model);
    return model;
  };
  return entries.map((entry) => ({
    name: `${folder} ${entry.name}`,
    run: async (target) => compareSentence(await open(target), entry, target),
  }));
}

/** All files of a folder by path, including those of its modules. */
export function sentenceFiles(data: DataFolder, path: string): File[] {
  const names = data.files(path).map((name) => name.slice(path.length + 1));
  return names
    .filter((name) => name !== "refs.json")
    .map((name) => new File([data.bytes(`${path}/${name}`) as BlobPart], name));
}

/** Compares the vectors after each module with those of a case. */
export async function compareSentence(
  model: Model | EncoderModel,
  entry: SentenceEntry,
  target: Target,
): Promise<Check[]> {
  const given = Object.fromEntries(entry.inputs.map(readTensor).map((one) => [one.name, one]));
  const mask = given["attention_mask"];
  if (!mask || !model.sentence) throw new Error("needs attention_mask and modules.json");
  const rows = rowsOf(model, given, {}, target);
  const trace: Record<string, Tensor> = {};
  const sentence_embedding = sentenceEmbedding(model.sentence.modules, rows, {
    attentionMask: toTensor(mask, target),
    promptLength: entry.prompt_length ?? 0,
    trace,
  });
  const ours: Record<string, Tensor | undefined> = { ...trace, token_embeddings: rows, sentence_embedding };
  const limit = tolerance("embedding", target.class);
  return Promise.all(
    entry.outputs.map(readTensor).map(async (reference: ReferenceTensor) => {
      const actual = ours[reference.name];
      if (!actual) return mismatch(reference.name, limit, "is not known");
      const values = await actual.read();
      // The reference has zeros in rows of padding.
      const seen =
        reference.name === "token_embeddings"
          ? Float64Array.from(values, (x, i) => (mask.values[Math.floor(i / actual.shape[2]!)] ? x : 0))
          : values;
      return compareNumbers(
        reference.name,
        { shape: actual.shape, values: seen },
        { shape: reference.shape, values: reference.values as Float32Array },
        limit,
      );
    }),
  );
}
