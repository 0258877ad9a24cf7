import { skippedCase, type Source } from "../case.js";
import { emptyFolder, namesIn } from "../data-files.js";

const folder = "tokenizers/bpe-training";
const reason = "training arrives with the tokenizer work";

/** `tokenizers/bpe-training/`: one training run, from a corpus to merges and a vocabulary, is one case. */
export function bpeTraining(dataDir: string): Source[] {
  const [corpus] = namesIn(dataDir, folder).filter((name) => name.startsWith("corpus."));
  if (!corpus) return emptyFolder(dataDir, "bpe-training", folder);
  const cases = [skippedCase(corpus, reason)];
  return [{ family: "bpe-training", file: `${folder}/${corpus}`, cases, notYet: reason }];
}
