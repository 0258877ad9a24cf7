import { byteLevelBpe, tokenizerFromJson, type Tokenizer } from "@qkv/tokenizer";
import { trainBpe } from "@qkv/tokenizer/training";

/** A tokenizer, and its merges as pairs of tokens, in the order in which they were learned. */
export type Vocabulary = {
  tokenizer: Tokenizer;
  merges: readonly (readonly [left: string, right: string])[];
};

/** A few sentences of one story in two languages. */
const corpus = {
  english:
    "The cat lived in a small house by the sea. In the morning she sat on the mat at the door and looked at the boats. The old man who lived there was tired, because he had worked all night. He sat on a chair, and the cat sat on the mat. When it rained they both stayed in the house, and he read to her from a book about the sea. She liked the sound of it. In the evening the lamp was lit, the soup was on the table, and the cat had her milk. It was a good day, and it was a long one, and because they were tired they slept until the sun came back.",
  german:
    "Die Katze wohnte in einem kleinen Haus am Meer. Am Morgen saß sie auf der Matte an der Tür und sah auf die Boote. Der alte Mann, der dort wohnte, war müde, weil er die ganze Nacht gearbeitet hatte. Er saß auf einem Stuhl, und die Katze saß auf der Matte. Wenn es regnete, blieben sie beide im Haus, und er las ihr aus einem Buch über das Meer vor. Sie mochte den Klang. Am Abend war die Lampe an, die Suppe stand auf dem Tisch, und die Katze bekam ihre Milch. Es war ein guter Tag, und er war lang, und weil sie müde waren, schliefen sie, bis die Sonne wieder kam.",
};

type Offer = {
  label: string;
  /** Ends the sentence "trained on …". */
  trainedOn: string;
  languages: readonly string[];
  load: (text: string) => Promise<Vocabulary>;
};

const merges = 150;

/** Vocabularies of the figure, by name. */
export const vocabularies: Readonly<Record<string, Offer>> = /* @__PURE__ */ (() => ({
  english: {
    label: "English",
    trainedOn: "English",
    languages: ["English"],
    load: once(() => train([corpus.english])),
  },
  both: {
    label: "English and German",
    trainedOn: "English and German",
    languages: ["English", "German"],
    load: once(() => train([corpus.english, corpus.german])),
  },
  text: { label: "your text", trainedOn: "your text", languages: [], load: trainOnText },
  stories: {
    label: "21 MB of English stories",
    trainedOn: "English stories",
    languages: ["English"],
    load: once(storiesVocabulary),
  },
}))();

async function train(texts: readonly string[]): Promise<Vocabulary> {
  const trained = await trainBpe(texts, { vocabSize: 256 + merges });
  return { tokenizer: byteLevelBpe(trained), merges: trained.merges };
}

/** Trains on the text itself, until no pair occurs twice. */
async function trainOnText(text: string): Promise<Vocabulary> {
  const trained = await trainBpe([text], { vocabSize: 256 + merges, minFrequency: 2 });
  return { tokenizer: byteLevelBpe(trained), merges: trained.merges };
}

/** Loads the vocabulary of `@qkv/model-tiny`. */
async function storiesVocabulary(): Promise<Vocabulary> {
  const { modelTiny } = await import("@qkv/model-tiny");
  const file = (await modelTiny()).find(({ name }) => name === "tokenizer.json")!;
  const json = JSON.parse(await file.text()) as { model: { merges: [string, string][] } };
  return { tokenizer: tokenizerFromJson(json), merges: json.model.merges };
}

/** Memoizes a vocabulary, which is created at the first call. */
function once(make: () => Promise<Vocabulary>): () => Promise<Vocabulary> {
  let made: Promise<Vocabulary> | undefined;
  return () => (made ??= make());
}
