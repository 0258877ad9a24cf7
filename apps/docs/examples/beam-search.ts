import { check, print, show, slider } from "@qkv/page";
import { mul, tensor, transpose } from "@qkv/tensor";
import { beamSearch, decoder } from "@qkv/transformer";
import { bars } from "@qkv/viz";

const numBeams = slider("beams", { min: 1, max: 4, value: 2 });
const lengthPenalty = slider("length penalty", {
  min: -1,
  max: 3,
  step: 0.5,
  value: 1,
});

// Bigram counts: the words after a word, and how often each follows it.
const words = [".", "the", "nice", "dog", "car", "woman", "runs", "and"];
const follows: Record<string, Record<string, number>> = {
  the: { nice: 0.5, dog: 0.4, car: 0.1 },
  nice: { woman: 0.4, dog: 0.3, car: 0.3 },
  dog: { runs: 0.9, ".": 0.1 },
  car: { runs: 0.5, ".": 0.5 },
  woman: { runs: 0.6, ".": 0.4 },
  runs: { ".": 0.7, and: 0.3 },
  and: { the: 0.6, runs: 0.4 },
};
const table = words.map((before) =>
  words.map((word) => Math.log(follows[before]?.[word] ?? 1e-6)),
);

// The table as a decoder: embeddings are so large that its layer adds nothing.
const size = words.length;
const { config, init, apply } = decoder({
  vocabSize: size,
  embedDim: size,
  hiddenDim: size,
  numLayers: 1,
  numHeads: 1,
  numKvHeads: 1,
  contextLength: 16,
  normEps: 1e-5,
  stopIds: [words.indexOf(".")],
});
const large = words.map((_, i) => words.map((_, j) => (i === j ? 1e4 : 0)));
const params = {
  ...init(1),
  embedding: { weight: tensor(large) },
  output: { weight: mul(transpose(tensor(table)), 1 / Math.sqrt(size)) },
};
const model = { config, params, tokenizer: undefined, apply };

const search = async (beams: number) => {
  const { sequences } = await beamSearch(model, [[words.indexOf("the")]], {
    numBeams: beams,
    numReturnSequences: beams,
    lengthPenalty,
    maxTokens: 6,
  });
  return sequences[0]!.map(({ ids, score, stoppedBy }) => {
    const steps = ids.length + (stoppedBy === undefined ? 0 : 1);
    const end = stoppedBy === undefined ? "" : ".";
    return {
      text: ["the", ...ids.map((id) => words[id]!)].join(" ") + end,
      probability: Math.exp(score * steps ** lengthPenalty),
      score,
    };
  });
};

const found = await search(numBeams);
show(
  bars(
    { data: found.map(({ probability }) => probability), shape: [numBeams] },
    {
      labels: found.map(({ text }) => text),
      title: "probability of each text",
    },
  ),
);
for (const { text, score } of found) print(`${score.toFixed(3)}  ${text}`);

// Greedy search takes "nice", which 0.5 are for, and never sees "dog runs".
const [greedy, best] = [(await search(1))[0]!, (await search(4))[0]!];
print(`one beam: ${greedy.text}`);
check("one beam begins with the likeliest word", greedy.text.includes("nice"));
check("four beams find a score at least as high", best.score >= greedy.score);
