// An encoder of random weights, and the similarities that its embeddings give: equal texts have 1.
import { loadTokenizer } from "@qkv/tokenizer";
import { encoder } from "@qkv/transformer";

const words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "the", "cat", "dog", "sat", "ran"];
const { config, init, apply, maskedTokenLogits } = encoder({
  ...{ vocabSize: words.length, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2 },
  ...{ contextLength: 8, numTypes: 2, normEps: 1e-12 },
});
const tokenizer = loadTokenizer({ "vocab.txt": new TextEncoder().encode(words.join("\n")) });

export const bert = { config, params: init(1), tokenizer, apply, maskedTokenLogits };
export const texts = ["a cat sat", "a cat sat", "the dog ran"];
export const prompt = "Once upon a time";
export const sentence = "The cat sat on the mat.";

/** Cosines of vectors of length 1 with the first one. */
export function cosines(vectors: readonly ArrayLike<number>[]): string {
  const [first] = vectors;
  if (!first) return "";
  const cosine = (other: ArrayLike<number>) =>
    Array.from(other, (x, i) => x * (first[i] ?? 0)).reduce((sum, x) => sum + x, 0);
  return vectors.map((other) => cosine(other).toFixed(3)).join(" ");
}
