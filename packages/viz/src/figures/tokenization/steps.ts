import type { Step } from "../figure.js";
import { mergeStep } from "./merges-scene.js";
import type { TokenizationChoices, TokenizationModel } from "./model.js";

const subwords = {
  text: "“Neural Machine Translation of Rare Words with Subword Units” (2016)",
  url: "https://arxiv.org/abs/1508.07909",
};
const patchesPaper = {
  text: "“Byte Latent Transformer: Patches Scale Better Than Tokens” (2024)",
  url: "https://arxiv.org/abs/2412.09871",
};

/** Steps of the view of merges: characters, bytes, a step for each merge, ids, languages. */
export function mergeSteps(model: TokenizationModel): Step[] {
  const { characters, bytes, merges, tokens, vocabulary } = model;
  const long = characters.find((each) => each.bytes > 1);
  const parts = tokens.filter(({ part }) => part).length;
  return [
    {
      id: "text",
      chapter: "Text",
      title: count(characters.length, "character"),
      text: "A model reads numbers, not letters. A text is first taken apart into characters: each has a number in Unicode.",
      milliseconds: 1500,
    },
    {
      id: "bytes",
      chapter: "Bytes",
      title: count(bytes.length, "byte"),
      text: `UTF-8 writes a character as one to four bytes${long ? `: “${long.text}” takes ${long.bytes}` : ", and each of these as one"}. There are only 256 different bytes, so no text is unknown. They are the first tokens.`,
      milliseconds: 2200,
    },
    ...merges.map(({ left, right, text, id, rank, places, tokens }, i): Step => ({
      id: mergeStep(i),
      chapter: "Merges",
      title: `${left} + ${right} → ${text}`,
      text: `Merge ${rank} of ${vocabulary.merges}${i === 0 ? ", the earliest that this text needs" : ""}. It joins ${count(places.length, "pair")} here and leaves ${count(tokens, "token")}. The new token has id ${id}.`,
      source: subwords,
      milliseconds: i < 3 ? 2400 : merges.length > 14 ? 900 : 1400,
    })),
    {
      id: "ids",
      chapter: "Ids",
      title: `${count(tokens.length, "token")}, as ids`,
      text: `No learned pair is left, and the model reads these ${tokens.length} numbers alone.${parts > 0 ? ` Hatched: ${count(parts, "byte")} of characters that no merge has put together. This is byte fallback.` : ""}`,
      milliseconds: 2000,
    },
    {
      id: "languages",
      chapter: "Languages",
      title: "Whose language is cheap?",
      text: languagesText(model),
      milliseconds: 2000,
    },
  ];
}

function languagesText({ languages, vocabulary }: TokenizationModel): string {
  if (vocabulary.name === "text")
    return "This vocabulary was trained on your text alone, so other sentences stay bytes, or nearly. Choose another text to train on and compare.";
  const counts = languages.map(
    ({ name, tokens }, i) => `${i === 0 ? count(tokens, "token") : tokens} in ${name}`,
  );
  const list = `${counts.slice(0, -1).join(", ")} and ${counts.at(-1) ?? ""}`;
  return `The same sentence: ${list}. The vocabulary was trained on ${vocabulary.trainedOn}, and a tokenizer is efficient in the language it was trained on. Choose another training text and compare.`;
}

/** Steps of the view of patches. */
export function patchesSteps(
  model: TokenizationModel,
  { rule, threshold, rise }: TokenizationChoices,
): Step[] {
  const { bytes, tokens, patches } = model;
  const number = patches?.starts.length ?? 0;
  const above = patches?.starts.filter((start) => start > 0).length ?? 0;
  const limit =
    rule === "threshold"
      ? `the entropy is above ${threshold} nats`
      : `the entropy rises by more than ${rise} nats over that of the byte before`;
  return [
    {
      id: "entropy",
      chapter: "Entropy",
      title: "How uncertain is the next byte?",
      text: `A small model reads byte by byte, and before each it says how uncertain it is: the entropy of its prediction. It is high where a word begins and low inside a common word.`,
      milliseconds: 3600,
    },
    {
      id: "threshold",
      chapter: rule === "threshold" ? "Threshold" : "Rise",
      title: `Cut where ${limit}`,
      text: `${count(above, "byte")} of ${bytes.length} ${above === 1 ? "is" : "are"} that hard to guess: a patch starts at each.`,
      milliseconds: 3000,
    },
    {
      id: "patches",
      chapter: "Patches",
      title: `${count(number, "patch", "patches")} instead of ${count(bytes.length, "byte")}`,
      text: "The large model runs once per patch. No vocabulary is needed, and hard passages get more steps than easy ones.",
      milliseconds: 2600,
    },
    {
      id: "compare",
      chapter: "Compare",
      title: `${count(number, "patch", "patches")} beside ${count(tokens.length, "token")}`,
      text: "Tokens are fixed when a vocabulary is trained. Patches follow a limit that can be moved: a higher one gives fewer, longer patches.",
      milliseconds: 2000,
    },
  ].map((step) => ({ ...step, source: patchesPaper }));
}

const count = (number: number, one: string, many = `${one}s`) =>
  `${number.toLocaleString("en-US")} ${number === 1 ? one : many}`;
