import { trainBpe } from "@qkv/tokenizer/training";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Source } from "../case.js";
import { compareText, type Check } from "../check.js";
import { emptyFolder, namesIn } from "../data-files.js";

const folder = "tokenizers/bpe-training";

/**
 * `tokenizers/bpe-training/`: one training run is one case. From `corpus.*` follow, exactly and in order, the merges of
 * `*merges.txt` and the ids of `*vocab.json`, which says how many tokens there are and which of them are special.
 */
export function bpeTraining(dataDir: string): Source[] {
  const [corpus] = namesIn(dataDir, folder).filter((name) => name.startsWith("corpus."));
  if (!corpus) return emptyFolder(dataDir, "bpe-training", folder);
  const cases = [{ name: corpus, run: () => compareTraining(dataDir, corpus) }];
  return [{ family: "bpe-training", file: `${folder}/${corpus}`, cases }];
}

async function compareTraining(dataDir: string, corpus: string): Promise<Check[]> {
  const read = (name: string) => readFileSync(join(dataDir, folder, name), "utf8");
  const only = (ending: string) => {
    const [name, ...others] = namesIn(dataDir, folder, ending);
    if (name === undefined || others.length > 0) throw new Error(`has ${name ? "several" : "no"} *${ending}`);
    return read(name);
  };
  const merges = only("merges.txt")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#version"));
  const vocab = Object.entries(JSON.parse(only("vocab.json")) as Record<string, number>);
  const merged = new Set(merges.map((merge) => merge.replace(" ", "")));
  const specialTokens = vocab
    .map(([token]) => token)
    .filter((token) => [...token].length > 1 && !merged.has(token));

  const ours = await trainBpe([read(corpus)], { vocabSize: vocab.length, specialTokens });
  return [
    compareText("merges", ours.merges.map((pair) => pair.join(" ")).join("\n"), merges.join("\n")),
    compareText("vocabulary", inOrder(ours.vocab), inOrder(vocab)),
  ];
}

/** A line for each token, by id. */
const inOrder = (vocab: Iterable<readonly [string, number]>) =>
  [...vocab]
    .sort(([, a], [, b]) => a - b)
    .map(([token, id]) => `${id} ${token}`)
    .join("\n");
