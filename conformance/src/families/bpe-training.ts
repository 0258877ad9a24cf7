import { trainBpe } from "@qkv/tokenizer/training";
import type { DataFolder } from "../../data-folder.mjs";
import type { Source } from "../case.js";
import { compareText, type Check } from "../check.js";
import { emptyFolder } from "../data-files.js";

const folder = "tokenizers/bpe-training";

/**
 * `tokenizers/bpe-training/`: one training run is one case. Training on `corpus.*` must give exactly the merges of `*merges.txt`
 * and the ids of `*vocab.json`, which also defines the vocabulary size and the special tokens.
 */
export function bpeTraining(data: DataFolder): Source[] {
  const [corpus] = data.names(folder).filter((name) => name.startsWith("corpus."));
  if (!corpus) return emptyFolder(data, "bpe-training", folder);
  const cases = [{ name: corpus, run: () => compareTraining(data, corpus) }];
  return [{ family: "bpe-training", file: `${folder}/${corpus}`, cases }];
}

async function compareTraining(data: DataFolder, corpus: string): Promise<Check[]> {
  const read = (name: string) => data.text(`${folder}/${name}`);
  const only = (ending: string) => {
    const [name, ...others] = data.names(folder, ending);
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

/** A line per token, by id. */
const inOrder = (vocab: Iterable<readonly [string, number]>) =>
  [...vocab]
    .sort(([, a], [, b]) => a - b)
    .map(([token, id]) => `${id} ${token}`)
    .join("\n");
