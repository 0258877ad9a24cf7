import fc from "fast-check";
import { expect, test } from "vitest";
import * as all from "../../processors.js";
import type { LogitsProcessor, ProcessedSequence } from "../../processors.js";

const { processLogits } = all;
const removed = -Infinity;
const logs = (...probabilities: number[]) => probabilities.map(Math.log);
type Sequence = Pick<ProcessedSequence, "ids"> & Partial<ProcessedSequence>;

/** Ids of the tokens that a processor does not remove. */
const allowedIds = (processor: LogitsProcessor, logits: number[], sequence: Sequence = { ids: [0] }) =>
  [...processLogits(logits, [processor], sequence)].flatMap((score, id) => (score > removed ? [id] : []));

test.each<[string, LogitsProcessor, number[], number[]]>([
  ["the k most likely tokens, and ties", all.topK(2), [1, 3, 2, 2, 0], [1, 2, 3]],
  ["all tokens if k exceeds the vocabulary", all.topK(9), [1, 2], [0, 1]],
  ["at least minTokensToKeep tokens with top-k", all.topK(1, { minTokensToKeep: 2 }), [1, 3, 2], [1, 2]],
  // 0.05 + 0.1 is at most 1 - p = 0.2, and 0.05 + 0.1 + 0.25 is more.
  ["the nucleus", all.topP(0.8), logs(0.1, 0.6, 0.05, 0.25), [1, 3]],
  ["a nucleus of exactly p", all.topP(0.5), [0, 0], [0]],
  ["a nucleus of one token", all.topP(0), logs(0.3, 0.7), [1]],
  [
    "at least minTokensToKeep tokens with top-p",
    all.topP(0.05, { minTokensToKeep: 2 }),
    logs(0.1, 0.6, 0.3),
    [1, 2],
  ],
  ["tokens of at least minP times the highest probability", all.minP(0.5), logs(0.5, 0.26, 0.24), [0, 1]],
  ["all tokens with a minP of 0", all.minP(0), logs(0.5, 0.26, 0.24), [0, 1, 2]],
  ["the most likely token with a minP of 1", all.minP(1), logs(0.5, 0.3, 0.2), [0]],
  ["tokens above epsilon", all.epsilonCutoff(0.25), logs(0.5, 0.26, 0.24), [0, 1]],
  ["the most likely token if none is above epsilon", all.epsilonCutoff(0.9), logs(0.5, 0.3, 0.2), [0]],
  [
    "at least minTokensToKeep tokens with epsilon",
    all.epsilonCutoff(0.9, { minTokensToKeep: 2 }),
    logs(0.5, 0.3, 0.2),
    [0, 1],
  ],
  // Entropy 1.280: η = √0.36 · 0.278 = 0.167, smaller than 0.36.
  ["tokens above η, from the entropy", all.etaCutoff(0.36), logs(0.4, 0.3, 0.2, 0.1), [0, 1, 2]],
  // Entropy 0.325; η = min(0.04, 0.2 · 0.72): 0.04.
  ["tokens above η, from epsilon", all.etaCutoff(0.04), logs(0.9, 0.1 - 0.03, 0.03), [0, 1]],
  // Entropy 1.030; distances of -log p: 0.336, 0.174, 0.580: the second is the most typical.
  ["the most typical token", all.typicalP(0.2), logs(0.5, 0.3, 0.2), [1]],
  ["typical tokens up to a mass", all.typicalP(0.6), logs(0.5, 0.3, 0.2), [0, 1]],
  // Entropy 1.030, half 0.515: 0.347 of the first, 0.708 with the second.
  ["tokens up to half of the entropy", all.topH(0.5), logs(0.5, 0.3, 0.2), [0]],
  ["tokens up to 0.7 of the entropy", all.topH(0.7), logs(0.5, 0.3, 0.2), [0, 1]],
])("keeps %s", (_, processor, logits, expected) => {
  expect(allowedIds(processor, logits)).toEqual(expected);
  // Scores that remain do not change, and need not be normalized.
  const moved = logits.map((logit) => logit + 3);
  const scores = processLogits(moved, [processor], { ids: [0] });
  expect([...scores].filter((score) => score > removed)).toEqual(expected.map((id) => moved[id]));
});

test("top-H keeps at most the 100 most likely tokens", () => {
  const logits = Array.from({ length: 200 }, (_, id) => -id / 100);
  expect(allowedIds(all.topH(1), logits).length).toBe(100);
});

test.each<[string, LogitsProcessor, Sequence, number[], number[]]>([
  ["temperature", all.temperature(0.5), { ids: [0] }, [1, -2], [2, -4]],
  ["repetition penalty", all.repetitionPenalty(2), { ids: [0, 1, 1] }, [4, -4, 4, 0], [2, -8, 4, 0]],
  ["repetition reward", all.repetitionPenalty(0.5), { ids: [0, 1] }, [4, -4, 4], [8, -2, 4]],
  [
    "repetition penalty without the first tokens",
    all.repetitionPenalty(2, { ignoredTokens: 1 }),
    { ids: [0, 1] },
    [4, 4],
    [4, 2],
  ],
  [
    "no repeated pair",
    all.noRepeatNgram(2),
    { ids: [1, 2, 1, 3, 1] },
    [0, 0, 0, 0],
    [0, 0, removed, removed],
  ],
  ["no repeated triple", all.noRepeatNgram(3), { ids: [1, 2, 3, 2, 1, 2] }, [0, 0, 0, 0], [0, 0, 0, removed]],
  ["no repeated token", all.noRepeatNgram(1), { ids: [1, 2] }, [0, 0, 0], [0, removed, removed]],
  ["a text shorter than the n-gram", all.noRepeatNgram(4), { ids: [1, 1] }, [0, 0], [0, 0]],
  ["bad words", all.badWords([[3], [1, 2]]), { ids: [0, 1] }, [0, 0, 0, 0], [0, 0, removed, removed]],
  [
    "a bad word that is a stop id",
    all.badWords([[3], [2]]),
    { ids: [0], stopIds: [3] },
    [0, 0, 0, 0],
    [0, 0, removed, 0],
  ],
  ["a bad word longer than the text", all.badWords([[1, 2, 3]]), { ids: [1, 2] }, [0, 0, 0, 0], [0, 0, 0, 0]],
  [
    "biases",
    all.sequenceBias([
      [[0], -1],
      [[1, 2], 5],
      [[2, 2], 9],
    ]),
    { ids: [0, 1] },
    [0, 0, 1],
    [-1, 0, 6],
  ],
  ["a bias of three tokens", all.sequenceBias([[[1, 2, 0], 5]]), { ids: [0, 1, 2] }, [0, 0, 1], [5, 0, 1]],
  [
    "no bias after other tokens",
    all.sequenceBias([[[1, 2, 0], 5]]),
    { ids: [0, 2, 2] },
    [0, 0, 1],
    [0, 0, 1],
  ],
  [
    "the last bias of a sequence",
    all.sequenceBias([
      [[0], -1],
      [[0], 2],
    ]),
    { ids: [0] },
    [0, 0],
    [2, 0],
  ],
  ["suppressed tokens", all.suppressTokens([0, 2]), { ids: [1] }, [1, 2, 3], [removed, 2, removed]],
  ["suppressed at first", all.suppressTokensAtBegin([0]), { ids: [1, 1] }, [1, 2], [removed, 2]],
  ["not suppressed later", all.suppressTokensAtBegin([0]), { ids: [1, 1], promptLength: 1 }, [1, 2], [1, 2]],
  [
    "suppressed after one token",
    all.suppressTokensAtBegin([0], { generated: 1 }),
    { ids: [1, 1], promptLength: 1 },
    [1, 2],
    [removed, 2],
  ],
  [
    "stop ids below the minimum length",
    all.minLength(3),
    { ids: [0, 0], stopIds: [1] },
    [1, 2],
    [1, removed],
  ],
  ["stop ids at the minimum length", all.minLength(2), { ids: [0, 0], stopIds: [1] }, [1, 2], [1, 2]],
  [
    "too few new tokens",
    all.minNewTokens(2),
    { ids: [0, 0], promptLength: 1, stopIds: [1] },
    [1, 2],
    [1, removed],
  ],
  ["enough new tokens", all.minNewTokens(1), { ids: [0, 0], promptLength: 1, stopIds: [1] }, [1, 2], [1, 2]],
  ["a forced first token", all.forcedBos(1), { ids: [0] }, [5, 1, 5], [removed, 0, removed]],
  ["no forced second token", all.forcedBos(1), { ids: [0, 0] }, [5, 1], [5, 1]],
  ["a forced last token", all.forcedEos([1, 2]), { ids: [0, 0], maxLength: 3 }, [5, 1, 5], [removed, 0, 0]],
  ["no forced token before the last", all.forcedEos(1), { ids: [0, 0], maxLength: 4 }, [5, 1], [5, 1]],
  [
    "a stop id after the start of the decay",
    all.exponentialDecayLength(1, 2),
    { ids: [0, 0, 0, 0], promptLength: 1, stopIds: [0, 1] },
    [1, -1, 1],
    [4, 2, 1],
  ],
  [
    "a stop id before the start of the decay",
    all.exponentialDecayLength(3, 2),
    { ids: [0, 0, 0, 0], promptLength: 1, stopIds: [0] },
    [1, 1],
    [1, 1],
  ],
  [
    "a removed stop id",
    all.exponentialDecayLength(0, 2),
    { ids: [0, 0], promptLength: 1, stopIds: [0] },
    [removed, 1],
    [removed, 1],
  ],
  [
    "encoder repetition penalty",
    all.encoderRepetitionPenalty(2, [[9], [0, 1]]),
    { ids: [2], prompt: 1 },
    [4, -4, 4],
    [8, -2, 4],
  ],
  [
    "no repeated pair of the encoder",
    all.encoderNoRepeatNgram(2, [[9], [0, 1]]),
    { ids: [2, 0], prompt: 1 },
    [0, 0, 0],
    [0, removed, 0],
  ],
])("changes scores: %s", (_, processor, sequence, logits, expected) => {
  expect([...processLogits(logits, [processor], sequence)]).toEqual(expected);
});

test("normalized scores are log-probabilities; removed tokens stay removed", () => {
  const scores = processLogits([1, 2, removed], [all.normalizeLogits], { ids: [0] });
  expect(scores.reduce((sum, score) => sum + Math.exp(score), 0)).toBeCloseTo(1, 12);
  expect(scores[2]).toBe(removed);
  expect([...processLogits([removed, removed], [all.normalizeLogits], { ids: [0] })]).toEqual([
    removed,
    removed,
  ]);
});

test("property: truncation keeps the most likely token and its score, also after tokens were removed", () => {
  const kinds: readonly LogitsProcessor[] = [
    all.topK(2),
    all.topP(0.5),
    all.minP(0.3),
    all.epsilonCutoff(0.3),
    all.etaCutoff(0.3),
    all.topH(0.5),
  ];
  const scores = fc.array(fc.oneof(fc.constant(removed), fc.double({ min: -8, max: 8, noNaN: true })), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(scores, fc.constantFrom(...kinds), (logits, processor) => {
      const best = Math.max(...logits);
      const after = processLogits(logits, [processor], { ids: [0] });
      expect(Math.max(...after)).toBe(best);
      expect(after.some(Number.isNaN)).toBe(false);
      after.forEach((score, id) => expect([removed, logits[id]]).toContain(score));
    }),
  );
});

test("processors are applied in the order of the list, to a copy of the logits", () => {
  const logits = [2, 1];
  const [doubled, biased] = [all.temperature(0.5), all.sequenceBias([[[0], 1]])];
  expect([...processLogits(logits, [doubled, biased], { ids: [0] })]).toEqual([5, 2]);
  expect([...processLogits(logits, [biased, doubled], { ids: [0] })]).toEqual([6, 2]);
  expect(logits).toEqual([2, 1]);
});

test.each<[() => unknown, RegExp]>([
  [
    () => all.temperature(0),
    /^temperature: `value` is 0, expected a finite number, above 0.*\nFix: .*greedily/s,
  ],
  [() => all.topK(0), /^topK: `k` is 0/],
  [() => all.topK(2, { minTokens: 1 } as never), /`minTokens` is 1.*\nFix: write `minTokensToKeep`/],
  [() => all.topP(1.5), /^topP: `p` is 1.5/],
  [() => all.minP(-1), /^minP: `p` is -1/],
  [() => all.typicalP(1), /^typicalP: `mass` is 1/],
  [() => all.epsilonCutoff(0), /^epsilonCutoff: `epsilon` is 0/],
  [() => all.etaCutoff(1), /^etaCutoff: `epsilon` is 1/],
  [() => all.topH(0), /^topH: `share` is 0/],
  [() => all.repetitionPenalty(0), /^repetitionPenalty: `penalty` is 0/],
  [() => all.noRepeatNgram(0), /^noRepeatNgram: `size` is 0/],
  [() => all.badWords([[]]), /^badWords: `words\[0\]` is \[\], expected a list of token ids, one or more/],
  [() => all.badWords("bad" as never), /^badWords: `words` is "bad"/],
  [() => all.sequenceBias([[[1], Infinity]]), /^sequenceBias: `biases\[0\]` is Infinity/],
  [() => all.sequenceBias([[1, 2]] as never), /^sequenceBias: `biases\[0\]` is 1/],
  [() => all.suppressTokens([1.5]), /^suppressTokens: `ids` is \[1.5\]/],
  [() => all.minLength(-1), /^minLength: `length` is -1/],
  [() => all.minNewTokens(1.5), /^minNewTokens: `count` is 1.5/],
  [() => all.forcedBos(-1), /^forcedBos: `id` is -1/],
  [() => all.forcedEos([]), /^forcedEos: `id` is \[\]/],
  [() => all.exponentialDecayLength(1, 0), /^exponentialDecayLength: `factor` is 0/],
  [() => all.encoderNoRepeatNgram(2, []), /^encoderNoRepeatNgram: `encoderIds` is \[\]/],
  [
    () => processLogits([1, 2], [all.encoderRepetitionPenalty(2, [[0]])], { ids: [0], prompt: 1 }),
    /^encoderRepetitionPenalty: `encoderIds` is "1 lists", expected one for each prompt, and prompt 1 has none/,
  ],
  [
    () => processLogits([1], [all.suppressTokens([3])], { ids: [0] }),
    /^suppressTokens: `ids` is 3, expected token ids from 0 to 0/,
  ],
  [() => processLogits([1], [], { ids: [1] }), /^processLogits: `ids` is 1/],
  [
    () => processLogits([1], [(scores: unknown) => scores] as never, { ids: [0] }),
    /^processLogits: `processors`/,
  ],
])("invalid arguments are refused: %#", (call, message) => {
  expect(call).toThrow(message);
});
