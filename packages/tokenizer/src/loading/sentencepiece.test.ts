import { expect, test } from "vitest";
import { sentencePieceTokenizer } from "./sentencepiece.js";

/** A model file: pieces as `[text, score, type]`, and numbers of the trainer's and the normalizer's settings. */
function modelFile(
  pieces: readonly Piece[],
  trainer: Record<number, number> = {},
  normalizer: Record<number, number> = {},
): Uint8Array {
  const message = (field: number, content: readonly number[]) => [
    (field << 3) | 2,
    ...(content.length < 128 ? [content.length] : [(content.length & 127) | 128, content.length >> 7]),
    ...content,
  ];
  const varints = (fields: Record<number, number>) =>
    Object.entries(fields).flatMap(([field, value]) => {
      const tag = Number(field) << 3;
      return [...(tag < 128 ? [tag] : [(tag & 127) | 128, tag >> 7]), value];
    });
  const float = (value: number) => [...new Uint8Array(Float32Array.of(value).buffer)];
  return Uint8Array.from([
    ...pieces.flatMap(([text, score = 0, type = 1]) =>
      message(1, [
        ...message(1, [...new TextEncoder().encode(text)]),
        (2 << 3) | 5,
        ...float(score),
        3 << 3,
        type,
      ]),
    ),
    ...message(2, varints(trainer)),
    ...message(3, varints(normalizer)),
  ]);
}

type Piece = readonly [text: string, score?: number, type?: number];
const control: Piece[] = ["<unk>", "<s>", "</s>"].map((text, id) => [text, 0, id === 0 ? 2 : 3]);
const letters = [..."▁abcking"].map((letter): Piece => [letter, -20]);
const [unigram, bpe, word, char] = [1, 2, 3, 4].map((kind) => ({ 3: kind }));

// Ids and texts were made by SentencePiece 0.2.0 from these very files.
test.each<[string, Uint8Array, [text: string, ids: number[], decoded: string][]]>([
  [
    "user-defined symbols match wherever their text occurs, and never merge",
    modelFile([...control, ...letters, ["king", 0, 4], ["▁a", -1], ["in", -2], ["ng", -3], ["ab", -4]], bpe),
    [
      ["striking a king", [3, 0, 8, 11, 12, 3, 11], " ⁇ iking a king"],
      ["kingab", [3, 11, 15], "kingab"],
    ],
  ],
  [
    "characters",
    modelFile([...control, ...letters, ["ki", 0, 4]], char),
    [
      ["kingab", [3, 11, 9, 10, 4, 5], "kingab"],
      ["xy a", [3, 0, 3, 4], " ⁇  a"],
    ],
  ],
  [
    "words",
    modelFile([...control, ["▁a", -1], ["▁king", -2], ["▁", -3]], word),
    [
      ["striking odd king", [0, 4], " ⁇  king"],
      ["  ab  a ", [0, 3], " ⁇  a"],
    ],
  ],
  [
    "treat_whitespace_as_suffix",
    modelFile([...control, ...letters, ["a▁", -1], ["king▁", -2]], { ...unigram, 24: 1 }),
    [
      ["striking a king", [0, 8, 12, 11, 12], " ⁇ iking a king "],
      ["▁", [3], ""],
    ],
  ],
  [
    "without remove_extra_whitespaces",
    modelFile([...control, ...letters, ["▁a", -1], ["▁▁", -2]], bpe, { 4: 0 }),
    [
      ["  ab  a ", [12, 11, 5, 3, 11, 3], "  ab  a "],
      ["a▁", [11, 3], "a "],
      [" ", [12], " "],
    ],
  ],
  [
    "▁ at the end of a text is stripped like spaces; without add_dummy_prefix",
    modelFile([...control, ...letters, ["▁a", -1], ["ab", -2]], bpe, { 3: 0 }),
    [
      ["  ab  a▁ ", [12, 11], "ab a"],
      ["▁", [], ""],
    ],
  ],
])("golden: %s", (_, file, texts) => {
  const tokenizer = sentencePieceTokenizer(file);
  for (const [text, ids, decoded] of texts) {
    expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
    expect(tokenizer.encoding(text).ids).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(decoded);
  }
});

test("golden: offsets of user-defined symbols and of unknown words", () => {
  const symbols = sentencePieceTokenizer(modelFile([...control, ...letters, ["king", 0, 4]], bpe));
  expect(symbols.encoding("a king").offsets.slice(-2)).toEqual([
    [1, 2],
    [2, 6],
  ]);
  const words = sentencePieceTokenizer(modelFile([...control, ["▁a"]], word));
  expect(words.encoding("odd one a").offsets).toEqual([
    [0, 7],
    [7, 9],
  ]);
});

test("words without a token become byte tokens if the file has byte_fallback", () => {
  const bytes = Array.from({ length: 256 }, (_, byte): Piece => {
    return [`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`, 0, 6];
  });
  const tokenizer = sentencePieceTokenizer(modelFile([...control, ...bytes, ["▁a"]], { ...word, 35: 1 }));
  const ids = tokenizer.encode("é a");
  expect(ids).toEqual(
    [..."▁é"].flatMap((c) => [...new TextEncoder().encode(c)].map((byte) => byte + 3)).concat(259),
  );
  expect(tokenizer.decode(ids)).toBe("▁é a"); // as SentencePiece: bytes are not marks
});

test.each<[string, Uint8Array, RegExp]>([
  [
    "an unknown model type",
    modelFile(control, { 3: 9 }),
    /trainer_spec.model_type` is 9, expected 1 \(Unigram\).*\nFix: qkv does not implement the model type 9\./,
  ],
  ["no pieces", modelFile([]), /`model file: pieces` is 0, expected 1 or more/],
  ["a score of NaN", modelFile([["a", NaN]]), /pieces\[0\].score` is NaN/],
  ["a truncated file", modelFile(control).subarray(0, 12), /^sentencePieceTokenizer: `model file: /],
])("refused, with the field named: %s", (_, file, message) => {
  expect(() => sentencePieceTokenizer(file)).toThrow(message);
});

test("the token of unknown text is `<unk>`, as IdToPiece returns it", () => {
  for (const kind of [1, 2]) {
    const file = modelFile(
      [
        ["<unk>", 0, 2],
        ["▁", -1],
        ["a", -2],
      ],
      { 3: kind },
    );
    const { ids, tokens } = sentencePieceTokenizer(file).encoding("axya");
    expect([ids, tokens]).toEqual([
      [1, 2, 0, 2],
      ["▁", "a", "<unk>", "a"],
    ]);
  }
});
