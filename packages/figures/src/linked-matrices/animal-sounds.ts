import { mul, type Tensor } from "@qkv/tensor";
import { decoder, encoder, type Decoder, type Encoder } from "@qkv/transformer";

/** The sound of each animal: either word of a sentence predicts the other. */
export const sounds = { cat: "meows", dog: "barks", cow: "moos", bird: "sings" };
/** Words that both models know; "?" stands for a masked one. */
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
export const texts: readonly string[] = ["the ? moos .", "the cow ? .", "the ? barks .", "the cat ? ."];

export const wordId = (word: string): number => vocabulary.indexOf(word);

/** The word in the gap must be an animal, or a sound. */
export function answersTo(text: string): readonly string[] {
  return text.startsWith("the ?") ? Object.keys(sounds) : Object.values(sounds);
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

/** GPT in small: each word sees itself and earlier words. */
export const gpt = (): Decoder => decoder({ ...sizes, numKvHeads: 2, positions: "learned", stopIds: [] });
/** BERT in small: each word sees every word. */
export const bert = (): Encoder => encoder({ ...sizes, numTypes: 0 });

/** First weights of BERT: its small embeddings are made larger, for large steps. */
export function bertInit(model: Encoder, seed: number): ReturnType<Encoder["init"]> {
  const params = model.init(seed);
  const larger = ({ weight }: { weight: Tensor }) => ({ weight: mul(weight, 10) });
  return { ...params, embedding: larger(params.embedding), positions: larger(params.positions) };
}
