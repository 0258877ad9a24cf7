import { fileField, print, show, textField } from "@qkv/page";
import {
  add,
  arange,
  crossEntropy,
  div,
  matmul,
  mul,
  randn,
  sqrt,
  sum,
  tensor,
  transpose,
  valueAndGrad,
  type Tensor,
} from "@qkv/tensor";
import { adam } from "@qkv/tensor/optimizers";
import { embed, loadEncoder, semanticSearch } from "@qkv/transformer";
import { bars } from "@qkv/viz";

const text = textField("your text", {
  value: "A kitten races. A puppy naps. A sparrow naps. A puppy dines.",
});
const query = textField("search for", { value: "the dog sleeps" });
// config.json, tokenizer.json and model.safetensors of an embedding model.
const files = fileField("an embedding model's files");
const sentences = text.split(/(?<=[.!?])\s+/).filter((one) => one.trim());

// Until you choose a model: word vectors, trained here on pairs of sentences
// that mean the same and share no word.
const animals = ["cat kitten", "dog puppy", "bird sparrow"];
const verbs = ["sleeps naps", "runs races", "eats dines"];
const pairs = animals.flatMap((animal) =>
  verbs.map((verb) => {
    const [[a, b], [v, w]] = [animal.split(" "), verb.split(" ")];
    return [`the ${a} ${v}`, `a ${b} ${w}`] as const;
  }),
);
const wordsOf = (one: string) => one.toLowerCase().match(/\p{L}+/gu) ?? [];
const vocabulary = [...new Set(wordsOf(pairs.flat().join(" ")))];

/** The mean of the vectors of a sentence's words, with unit norm. */
const vectorsOf = (table: Tensor, texts: readonly string[]): Tensor => {
  const counts = texts.map((one) =>
    vocabulary.map((word) => wordsOf(one).filter((w) => w === word).length),
  );
  const means = matmul(tensor(counts), table);
  const squares = sum(mul(means, means), { axis: 1, keepDims: true });
  return div(means, sqrt(add(squares, 1e-9)));
};

async function vectorsTrainedHere(texts: readonly string[]) {
  const params = { table: randn([vocabulary.length, 16], { seed: 1 }) };
  const optimizer = adam({ learningRate: 0.05 });
  const state = optimizer.init(params);
  // Each sentence has to find its partner among all.
  const loss = valueAndGrad(({ table }: typeof params) => {
    const [from, to] = [0, 1].map((side) =>
      vectorsOf(
        table,
        pairs.map((pair) => pair[side]!),
      ),
    );
    const scores = mul(matmul(from!, transpose(to!)), 10);
    return crossEntropy(scores, arange(pairs.length, { dtype: "int32" }));
  });
  for (let step = 0; step < 100; step++)
    optimizer.update(params, loss(params)[1], state);
  const rows = await vectorsOf(params.table, texts).read();
  return texts.map((_, i) => rows.slice(16 * i, 16 * (i + 1)));
}

const texts = [...sentences, query];
const vectors =
  files.length === 0
    ? await vectorsTrainedHere(texts)
    : await embed(await loadEncoder(files), texts);
const [hits = []] = await semanticSearch(
  vectors.slice(0, -1),
  vectors.slice(-1),
  { topK: 5 },
);
if (hits.length > 0)
  show(
    bars(
      { data: hits.map(({ score }) => score), shape: [hits.length] },
      {
        labels: hits.map(({ index }) => sentences[index]!),
        title: `nearest to “${query}”`,
      },
    ),
  );
const nearest = sentences[hits[0]?.index ?? 0];
print("nearest:", nearest ?? "there is no text to search");
if (files.length === 0 && query === "the dog sleeps")
  if (text.includes("A puppy naps.") && nearest !== "A puppy naps.")
    throw new Error("a sentence of the same meaning is not the nearest");
const unknown = wordsOf(texts.join(" ")).filter(
  (word) => !vocabulary.includes(word),
);
if (files.length === 0 && unknown.length > 0)
  print("words that the vectors trained here do not know:", unknown.join(", "));
