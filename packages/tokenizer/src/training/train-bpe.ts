import { checks, type Checks } from "@qkv/core";
import { checkTexts, requireOptions } from "../check-arguments.js";
import { bytesToUnicode, gpt2ByteOrder } from "../bytes-to-unicode.js";
import { wordCounter, type CountOptions } from "./count-words.js";
import { learnMerges } from "./learn-merges.js";
import { yieldingToEventLoop } from "./yield-to-event-loop.js";

/** Options of {@link trainBpe}. */
export type TrainBpeOptions = CountOptions & {
  /** Size of the vocabulary, the special tokens and the 256 bytes included. */
  vocabSize: number;
  /** Minimum count of a pair: training ends when no pair occurs as often. Default: 1. */
  minFrequency?: number;
  /** Aborts the training: the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Receives the progress, some twenty times a second, and once at the end. */
  onProgress?: (progress: TrainBpeProgress) => void;
};

/** Progress of training: first all texts are read, then pairs are merged. */
export type TrainBpeProgress = {
  stage: "read" | "merge";
  /** Texts read, and their characters in UTF-16 units. */
  texts: number;
  characters: number;
  /** Distinct words. */
  words: number;
  /** Tokens so far, of `vocabSize`. */
  tokens: number;
  vocabSize: number;
};

/** A byte-level vocabulary, as `byteLevelBpe` takes it. Tokens are written byte-to-unicode, as GPT-2's are: a space is `Ġ`. */
export type TrainedBpe = {
  /** The id of each token: special tokens, then the bytes in GPT-2's order, then what was merged. */
  readonly vocab: ReadonlyMap<string, number>;
  /** In the order of learning, which is the order of `merges.txt`. */
  readonly merges: readonly (readonly [left: string, right: string])[];
  /** The ids of the special tokens. */
  readonly specialTokens: Readonly<Record<string, number>>;
};

/**
 * Trains a byte-level BPE, the kind of GPT-2, Llama 3 and most models since: every text has ids, and frequent ones
 * have few.
 *
 * The same texts give the same vocabulary, whatever the machine: of pairs that are equally frequent the one that is
 * greater as bytes is merged first. Time: about a second for two megabytes and 25,000 tokens; memory: 40 bytes for
 * each byte of the distinct words, not of the texts.
 *
 * @param texts - Independent texts, or a stream of them. A stream that is cut anywhere,
 *   as a file's is, goes through `textChunks` first.
 * @returns The vocabulary. It is smaller than `vocabSize` where no pair is left to merge.
 * @throws {ArgumentError} If `vocabSize` has no room for the bytes, a special token is empty or given twice, or a
 *   text is not a string.
 * @see "Language Models are Unsupervised Multitask Learners" (2019), section 2.2
 *
 * @example
 * ```ts
 * import { byteLevelBpe } from "@qkv/tokenizer";
 * import { trainBpe } from "@qkv/tokenizer/training";
 *
 * const trained = await trainBpe(["aaabdaaabac"], { vocabSize: 259 });
 * trained.merges; // => [["a", "a"], ["aa", "a"], ["aaa", "b"]]
 * const tokenizer = byteLevelBpe(trained);
 * tokenizer.encode("aaabdaaabac").map(tokenizer.token); // => ["aaab", "d", "aaab", "a", "c"]
 * ```
 */
export async function trainBpe(
  texts: Iterable<string> | AsyncIterable<string>,
  options: TrainBpeOptions,
): Promise<TrainedBpe> {
  const check: Checks = checks("trainBpe");
  checkTexts(check, { texts });
  const {
    vocabSize,
    minFrequency = 1,
    specialTokens = [],
    signal,
    onProgress,
  } = check.options(requireOptions(check, options), [
    "vocabSize",
    "minFrequency",
    "signal",
    "onProgress",
    "split",
    "specialTokens",
  ]);
  checkOptions(check, options);
  const counter = wordCounter("trainBpe", options);
  const vocab = new Map<string, number>();
  for (const token of [...specialTokens, ...gpt2ByteOrder.map((byte) => bytesToUnicode[byte]!)]) {
    vocab.set(token, vocab.size);
  }

  const done = { stage: "read" as TrainBpeProgress["stage"], texts: 0, characters: 0 };
  const report = () => onProgress?.({ ...done, words: counter.words.size, tokens: vocab.size, vocabSize });
  const yieldToEventLoop = yieldingToEventLoop(signal, report);

  for await (const text of typeof texts === "string" ? [texts] : texts) {
    counter.add(text);
    done.texts += 1;
    done.characters += text.length;
    await yieldToEventLoop();
  }

  done.stage = "merge";
  const merges: [string, string][] = [];
  const learning = learnMerges(counter.words);
  while (vocab.size < vocabSize) {
    const { value: merge } = learning.next();
    if (!merge || merge.count < minFrequency) break;
    const token = merge.left + merge.right;
    checkSpecial(check, token, !specialTokens.includes(token), "a text that is no token already");
    merges.push([merge.left, merge.right]);
    vocab.set(token, vocab.size);
    await yieldToEventLoop();
  }
  signal?.throwIfAborted();
  report();
  return { vocab, merges, specialTokens: Object.fromEntries(specialTokens.map((token, id) => [token, id])) };
}

function checkOptions(
  check: Checks,
  { vocabSize, minFrequency = 1, specialTokens = [] }: TrainBpeOptions,
): void {
  const least = 256 + specialTokens.length;
  check.each(
    { vocabSize },
    (size) => Number.isSafeInteger(size) && vocabSize >= least && vocabSize <= maxVocabSize,
    `an integer from ${least} (256 bytes${specialTokens.length > 0 ? " and the special tokens" : ""}) to ${maxVocabSize}`,
    "give the size of the whole vocabulary, such as 8192; merges are what it has beyond the bytes.",
  );
  check.whole({ minFrequency }, { min: 1, fix: "use 2 to leave out what occurs once." });
  specialTokens.forEach((token, i) => {
    checkSpecial(check, token, typeof token === "string" && token !== "", "texts that are not empty");
    checkSpecial(check, token, specialTokens.indexOf(token) === i, "each special token once");
    checkSpecial(check, token, !bytesToUnicode.includes(token), "a text that is no token already");
  });
}

function checkSpecial(check: Checks, token: string, holds: boolean, expected: string): void {
  const fix = "write special tokens as no text has them: `<|endoftext|>`.";
  check.each({ specialTokens: token }, () => holds, expected, fix);
}

const maxVocabSize = 2 ** 24;
