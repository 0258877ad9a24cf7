import { print, show, textField } from "@qkv/page";
import { byteLevelBpe } from "@qkv/tokenizer";
import { sideBySide } from "@qkv/tokenizer/tracing";
import { trainBpe } from "@qkv/tokenizer/training";
import { bars, pieces } from "@qkv/viz";

const ours = "The cats sat there, and the naïve one attended 🐈.";
const text = textField("your text", { value: ours });

// A vocabulary of 400 tokens, trained on this English text.
const corpus = `A cat sat on the mat and looked at the other cats. They were sitting
there, in the warm sun, and none of them wanted to stand. The oldest one attended
to every sound: the wind in the trees, the children in the street, a bird that sang.
When the bird stopped singing, the cat started to walk. It walked along the wall, and
the others watched. Nobody knew what it was looking for, and it never told them.`;
const tokenizer = byteLevelBpe(await trainBpe([corpus], { vocabSize: 400 }));

const cuts = sideBySide(text, tokenizer);
show(pieces(cuts, { title: "One text, split in four ways" }));

// Each piece becomes a row that attention compares with every other.
const lengths = cuts.map((cut) => cut.pieces.length);
const labels = cuts.map((cut) => cut.label);
const picture = (data: number[], title: string) =>
  show(bars({ data, shape: [data.length] }, { labels, title }));
picture(lengths, "Sequence length T");
picture(
  lengths.map((T) => T * T),
  "Scores per head, T × T",
);

const [words = 0, characters = 0, bytes = 0, tokens = 0] = lengths;
const back = tokenizer.decode(tokenizer.encode(text));
if (back !== text) throw new Error("decoding lost something");
if (tokens > bytes || characters > bytes)
  throw new Error("more tokens than bytes");
print("decoded from the tokens:", back);
if (text === ours) {
  const list = cuts[3]?.pieces ?? [];
  if (!list.includes(" cats") || list.length - list.indexOf("ð") !== 5)
    throw new Error("cats should be one token, and 🐈 four");
  if (!((bytes / words) ** 2 > 25))
    throw new Error("bytes should need 25 times the scores");
}
