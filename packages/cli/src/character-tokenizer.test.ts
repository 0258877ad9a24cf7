import { expect, test } from "vitest";
import { characterTokenizerJson } from "./character-tokenizer.js";

test("characters are in the order of their code points, after <unk>", () => {
  // As UTF-16 the emoji begins with U+D83D, which is below U+FE4F.
  const { model } = JSON.parse(characterTokenizerJson("b😀a﹏a")) as {
    model: { vocab: Record<string, number> };
  };
  expect(model.vocab).toEqual({ "<unk>": 0, a: 1, b: 2, "﹏": 3, "😀": 4 });
});
