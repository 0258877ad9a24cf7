import { attention } from "@qkv/attention";
import { print, show, textField } from "@qkv/page";
import { embedding, randn, reshape, tensor } from "@qkv/tensor";
import { byteLevelBpe } from "@qkv/tokenizer";
import { trainBpe } from "@qkv/tokenizer/training";
import { pieces } from "@qkv/viz";

const learned =
  "she sat on the bank of the river and he ran to the bank with money";
const text = textField("a text to embed", {
  value: "the riverbanks and the bank",
});

// A word embedding has a row for each word that was in the corpus, and one row
// for all others.
const vocabulary = [...new Set(learned.split(" "))];
const words = text.split(" ").filter((word) => word !== "");
const known = words.map((word) => vocabulary.includes(word));

// A token embedding has a row for each token, and every text is made of tokens.
const tokenizer = byteLevelBpe(await trainBpe([learned], { vocabSize: 300 }));
const ids = tokenizer.encode(text);
show(
  pieces([
    {
      label: "words (dark: no row)",
      pieces: words,
      shades: known.map((is) => (is ? 0.1 : 0.8)),
    },
    {
      label: "tokens",
      pieces: ids.map((id) => tokenizer.token(id) ?? ""),
      notes: ids.map((id) => `row ${id}`),
    },
  ]),
);
print(
  "words without a row:",
  known.filter((is) => !is).length,
  "of",
  words.length,
);
if (ids.some((id) => id >= tokenizer.vocabSize)) throw new Error("no row");

// “ bank” by the river and “ bank” with money have the same row.
const sentence = tokenizer.encode(learned);
const bank = tokenizer.id("Ġbank") ?? -1;
const [first = -1, second = -1] = sentence.flatMap((id, at) =>
  id === bank ? [at] : [],
);
const table = randn([tokenizer.vocabSize, 16], { seed: 1 }); // [V, C]
const rows = embedding(
  table,
  tensor(sentence, { shape: [sentence.length], dtype: "int32" }),
);

// One attention layer makes them differ: each token also sees the tokens around
// it.
const x = reshape(rows, [1, 1, sentence.length, 16]); // [B, H, T, D]
const query = reshape(randn([sentence.length, 16], { seed: 2 }), x.shape);
const seen = attention(query, x, x);
const apart = (data: ArrayLike<number>) =>
  Math.max(
    ...Array.from({ length: 16 }, (_, i) =>
      Math.abs((data[first * 16 + i] ?? NaN) - (data[second * 16 + i] ?? NaN)),
    ),
  );
print(
  "The two “ bank” differ by",
  apart(rows.data),
  "as rows and by",
  apart(seen.data).toFixed(2),
  "after attention.",
);
if (apart(rows.data) !== 0 || !(apart(seen.data) > 0.1))
  throw new Error("the rows should be equal, and differ after attention");
