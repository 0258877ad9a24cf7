import { expect, test } from "vitest";
import { readSpeechTokens } from "./speech-tokens.js";

test("special tokens are read by name, and forced ids in the order of their positions", () => {
  expect(
    readSpeechTokens({
      lang_to_id: { "<|en|>": 10, "<|de|>": 11 },
      task_to_id: { transcribe: 20, translate: 21 },
      no_timestamps_token_id: 30,
      max_initial_timestamp_index: 50,
      suppress_tokens: [1, 2],
      begin_suppress_tokens: [3],
      alignment_heads: [
        [2, 2],
        [3, 0],
      ],
      forced_decoder_ids: [
        [2, 20],
        [1, 10],
        [4, 30],
      ],
    }),
  ).toEqual({
    languages: { en: 10, de: 11 },
    tasks: { transcribe: 20, translate: 21 },
    noTimestampsId: 30,
    maxInitialTimestamp: 50,
    suppressed: [1, 2],
    suppressedAtBegin: [3],
    forced: [10, 20],
    alignmentHeads: [
      [2, 2],
      [3, 0],
    ],
  });
  expect(() => readSpeechTokens({ alignment_heads: [[1]] })).toThrow(
    /`alignment_heads` to be a list of heads/,
  );
});

test("missing fields are omitted, and a null language forces no ids", () => {
  const none = { suppressed: [], suppressedAtBegin: [], forced: [] };
  expect(readSpeechTokens(undefined)).toEqual(none);
  expect(
    readSpeechTokens({
      suppress_tokens: null,
      forced_decoder_ids: [
        [1, null],
        [2, 20],
      ],
    }),
  ).toEqual(none);
});

test("values that are not token ids are refused, with the field", () => {
  expect(() => readSpeechTokens({ suppress_tokens: ["a"] })).toThrow(
    /`suppress_tokens` .*expected `suppress_tokens` to be a list of token ids/,
  );
  expect(() => readSpeechTokens({ no_timestamps_token_id: -1 })).toThrow(/an integer, 0 or more/);
  expect(() => readSpeechTokens({ lang_to_id: { "<|en|>": "x" } })).toThrow(/token ids by their names/);
  expect(() => readSpeechTokens({ forced_decoder_ids: [5] })).toThrow(/a list of places/);
});
