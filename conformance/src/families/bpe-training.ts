import type { Source } from "../case.js";
import { brokenCase, skippedCase } from "../case.js";
import { namesIn } from "../data-files.js";

const folder = "tokenizers/bpe-training";
const reason = "training arrives with the tokenizer work";

/** `tokenizers/bpe-training/`: one training run, from a corpus to merges and a vocabulary, is one case. */
export function bpeTraining(dataDir: string): Source[] {
  const names = namesIn(dataDir, folder);
  if (names.length === 0) return [];
  const corpus = names.find((name) => name.startsWith("corpus."));
  const run = corpus ? skippedCase(corpus, reason) : brokenCase(folder, "has no corpus.*");
  return [{ family: "bpe-training", file: `${folder}/${corpus ?? ""}`, cases: [run], notYet: reason }];
}
