import { mul, type Tensor } from "@qkv/tensor";
import { decoder, encoder, type Decoder, type Encoder } from "@qkv/transformer";

/** The sound of each animal. In a sentence, each of the two words predicts the other. */
export const animalSounds = { cat: "meows", dog: "barks", cow: "moos", bird: "sings" };
/** Vocabulary of both models. "?" is the mask token. */
export const vocabulary: readonly string[] = [
  "?",
  "the",
  "cat",
  "meows",
  "dog",
  "barks",
  "cow",
  "moos",
  "bird",
  "sings",
  ".",
];
/** Texts of the figure, each with a gap. */
export const gapTexts: readonly string[] = ["the ? moos .", "the cow ? .", "the ? barks .", "the cat ? ."];

export const wordId = (word: string): number => vocabulary.indexOf(word);

/** Possible words for the gap: animals, or sounds. */
export function answersTo(text: string): readonly string[] {
  return text.startsWith("the ?") ? Object.keys(animalSounds) : Object.values(animalSounds);
}

const sizes = {
  vocabSize: vocabulary.length,
  embedDim: 16,
  hiddenDim: 32,
  numLayers: 1,
  numHeads: 2,
  contextLength: 8,
  normEps: 1e-5,
};

/** A small GPT, with a causal mask. */
export const gpt = (): Decoder => decoder({ ...sizes, numKvHeads: 2, positions: "learned", stopIds: [] });
/** A small BERT, without a mask. */
export const bert = (): Encoder => encoder({ ...sizes, numTypes: 0 });

/** Initial weights of BERT. Its embeddings are scaled up, for training with a large learning rate. */
export function bertInit(model: Encoder, seed: number): ReturnType<Encoder["init"]> {
  const params = model.init(seed);
  const larger = ({ weight }: { weight: Tensor }) => ({ weight: mul(weight, 10) });
  return { ...params, embedding: larger(params.embedding), positions: larger(params.positions) };
}
