import { check, choice, print, show } from "@qkv/page";
import {
  etaCutoff,
  minNewTokens,
  noRepeatNgram,
  processLogits,
  repetitionPenalty,
  sequenceBias,
  topP,
  typicalP,
} from "@qkv/transformer/processors";
import { bars } from "@qkv/viz";

// Logits that a model might give after "the cat saw the".
const words = ["the", "cat", "saw", "dog", "moon", "."];
const logits = [0.2, 2.4, 1, 1.6, 0.4, 1.2];
const the = words.indexOf("the");
const cat = words.indexOf("cat");
const end = words.indexOf(".");
const sequence = {
  ids: [the, cat, words.indexOf("saw"), the],
  promptLength: 1,
  stopIds: [end],
};

const processors = {
  "repetitionPenalty(1.5)": [repetitionPenalty(1.5)],
  "noRepeatNgram(2)": [noRepeatNgram(2)],
  "minNewTokens(5)": [minNewTokens(5)],
  sequenceBias: [sequenceBias([[[the, words.indexOf("moon")], 2]])],
  "topP(0.8)": [topP(0.8)],
  "typicalP(0.5)": [typicalP(0.5)],
  "etaCutoff(0.1)": [etaCutoff(0.1)],
  "two of them": [repetitionPenalty(1.5), noRepeatNgram(2)],
};
const name = choice(
  "processors",
  Object.keys(processors) as (keyof typeof processors)[],
);

const probabilities = (scores: ArrayLike<number>) => {
  const powers = Array.from(scores, (score) => Math.exp(score));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
};
const before = probabilities(logits);
const scores = processLogits(logits, processors[name], sequence);
const after = probabilities(scores);
show(
  bars(
    {
      data: before.flatMap((p, i) => [p, after[i]!]),
      shape: [2 * words.length],
    },
    {
      labels: words.flatMap((word) => [word, `${word}, processed`]),
      title: `next word, before and after ${name}`,
    },
  ),
);
print(`scores: ${[...scores].map((score) => score.toFixed(2)).join(", ")}`);

const scoresAfter = (which: keyof typeof processors) =>
  probabilities(processLogits(logits, processors[which], sequence));
check(
  "“the cat” does not come again",
  scoresAfter("noRepeatNgram(2)")[cat] === 0,
);
check("the text does not end yet", scoresAfter("minNewTokens(5)")[end] === 0);
check(
  "a repeated word becomes less likely",
  scoresAfter("repetitionPenalty(1.5)")[cat]! < before[cat]!,
);
