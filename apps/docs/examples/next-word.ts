import { print, show, textField } from "@qkv/page";
import { bars } from "@qkv/viz";

const text = textField("training text", {
  value:
    "the cat sat on the mat . the dog sat on the rug . the cat saw the dog . the dog saw the mat .",
});
const words = text.split(/\s+/).filter(Boolean);

// Count which word follows which, and how often: that is the whole model.
const after = new Map<string, Map<string, number>>();
for (let i = 0; i + 1 < words.length; i++) {
  const counts = after.get(words[i]!) ?? new Map<string, number>();
  counts.set(words[i + 1]!, (counts.get(words[i + 1]!) ?? 0) + 1);
  after.set(words[i]!, counts);
}
const next = (word: string): [word: string, probability: number][] => {
  const counts = [...(after.get(word) ?? [])];
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  return counts
    .map(([word, count]): [string, number] => [word, count / total])
    .sort((a, b) => b[1] - a[1]);
};

const first = words[0] ?? "the";
const chances = next(first);
if (chances.length > 0) {
  const data = chances.map(([, probability]) => probability);
  show(
    bars(
      { data, shape: [data.length] },
      {
        labels: chances.map(([word]) => word),
        title: `next word after “${first}”`,
        max: 1,
      },
    ),
  );
}

// Append the most likely word, again and again.
let word = first;
const sentence = [word];
while (sentence.length < 12 && next(word).length > 0)
  sentence.push((word = next(word)[0]![0]));
print(sentence.join(" "));
