import { randn, tensor, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { ownData } from "../../../../conformance/reference-data.mjs";
import { loadSpeech } from "../load-speech.js";
import type { SpeechModel } from "../models/speech-model.js";
import { wordTimestamps, type WordTimestampOptions } from "./word-timestamps.js";

const files = (folder: string): File[] =>
  ["config.json", "model.safetensors"].map(
    (name) => new File([ownData.bytes(`hf/${folder}/${name}`) as BlobPart], name),
  );

/** A Whisper whose source has 20 rows for 0.4 s, with given cross-attention weights: in alignment heads, the row of each token attends to one range of frames. */
async function scriptedModel(starts: readonly number[], aligned: readonly (readonly [number, number])[]) {
  const model = await loadSpeech(files("whisper"));
  const [numHeads, S] = [model.config.numHeads, model.config.encoder.contextLength];
  const tracedNames: string[] = [];
  const apply: SpeechModel["apply"] = (params, ids, options) => {
    const { names, tensors } = options!.trace!;
    tracedNames.push(...names);
    const T = (ids as number[]).length;
    for (const name of names) {
      const layer = Number(/layers\.(\d+)/.exec(name)![1]);
      const weights = new Float32Array(numHeads * T * S);
      for (let head = 0; head < numHeads; head++)
        for (let row = 0; row < T; row++) {
          const isAlignmentHead = aligned.some(([l, h]) => l === layer && h === head);
          // Other heads attend to the last frames.
          const first = isAlignmentHead ? (starts[row] ?? S - 1) : S - 2;
          const end = isAlignmentHead ? (starts[row + 1] ?? S) : S;
          weights.fill(1 / (end - first), (head * T + row) * S + first, (head * T + row) * S + end);
        }
      tensors[name] = tensor(weights, { shape: [1, numHeads, T, S] });
    }
    return randn([1, 1, 1], { seed: 1 });
  };
  const texts = new Map([
    [7, " one"],
    [8, " t"],
    [9, "wo"],
  ]);
  const tokenizer = {
    decode: (ids: Iterable<number>) => [...ids].map((id) => texts.get(id)!).join(""),
  } as never;
  const source = { rows: randn([1, S, 48], { seed: 2 }), keyValues: [] };
  return { model: { ...model, apply, tokenizer }, source, tracedNames };
}

test("a word starts at the first frame of its first token's row, in seconds", async () => {
  // Rows and the tokens that they predict: start → " one", " one" → " t", " t" → "wo", "wo" → end, end.
  const heads = [[1, 2]] as const;
  const { model, source, tracedNames } = await scriptedModel([0, 5, 9, 14, 18], heads);
  const words = await wordTimestamps(model, source, [7, 8, 9], { heads, medianWidth: 1 });
  const rounded = words.map(({ text, start, end, ids }) => [text, start.toFixed(2), end.toFixed(2), ids]);
  // 0.36 s of frames for 20 rows: 0.02 s each.
  expect(rounded).toEqual([
    [" one", "0.00", "0.10", [7]],
    [" two", "0.10", "0.28", [8, 9]],
  ]);
  expect(tracedNames).toEqual(["decoder.layers.1.crossAttention.weights"]);
});

test("the default heads are those of generation_config.json, else all heads in the later half of layers; `duration` limits the frames", async () => {
  const { model, source, tracedNames } = await scriptedModel([0, 3, 6, 8, 9], [[0, 1]]);
  const speech = { ...model.speech, alignmentHeads: [[0, 1]] as const };
  const words = await wordTimestamps({ ...model, speech }, source, [7, 8, 9], {
    duration: 0.2,
    medianWidth: 1,
  });
  expect(words.map(({ end }) => end.toFixed(2))).toEqual(["0.06", "0.16"]);
  await wordTimestamps(model, source, [7]);
  expect(tracedNames).toEqual([0, 1].map((layer) => `decoder.layers.${layer}.crossAttention.weights`));
});

test.each(["whisper", "moonshine"])(
  "word timestamps of a tiny %s are in order and within the audio",
  async (folder) => {
    const model = await loadSpeech(files(folder));
    const sound = folder === "whisper" ? randn([1, 16, 40], { seed: 3 }) : randn([1, 9000], { seed: 3 });
    const source = model.encode(model.params, sound);
    const ids = [9, 20, 33, 7, 12];
    const words = await wordTimestamps(model, source, ids);
    expect(words.flatMap(({ ids }) => ids)).toEqual(ids);
    const S = source.rows.shape[1]!;
    const seconds = folder === "whisper" ? 0.4 : (S * 384) / 16000;
    let before = 0;
    for (const { start, end } of words) {
      expect(start).toBe(before);
      expect(end).toBeGreaterThanOrEqual(start);
      expect(end).toBeLessThanOrEqual(seconds + 1e-9);
      before = end;
    }
    expect(await wordTimestamps(model, source, [])).toEqual([]);
  },
);

test.each<[WordTimestampOptions, RegExp]>([
  [{ heads: [[2, 0]] }, /`heads` is .*expected \[layer, head\] below 2 and 6/],
  [{ heads: [] }, /`heads` is \[\]/],
  [{ medianWidth: 4 }, /`medianWidth` is 4, expected an odd number of frames/],
  [{ duration: 0 }, /`duration` is 0/],
  [{ head: 1 } as never, /`head` is 1.*\nFix: write `heads`/],
])("refused: %j", async (options, message) => {
  const model = await loadSpeech(files("whisper"));
  const source = model.encode(model.params, randn([1, 16, 40], { seed: 3 }));
  await expect(wordTimestamps(model, source, [9], options)).rejects.toThrow(message);
  const two: Tensor = randn([2, 16, 40], { seed: 3 });
  await expect(wordTimestamps(model, model.encode(model.params, two), [9])).rejects.toThrow(
    /align each clip by itself/,
  );
});
