import { expect, test } from "vitest";
import { decodeSteps, metaspaceStep, wordPieceStep, type DecodeStep } from "./decode-steps.js";

function decode(step: DecodeStep, tokens: readonly string[]): string {
  const { push, end } = decodeSteps([step]).start({ token: (id: number) => tokens[id] } as never);
  return tokens.map((_, id) => push(id)).join("") + end();
}

test("only the prepended space of the encoder is removed", () => {
  const tokens = ["▁Hello", "▁", "▁world"];
  expect(decode(metaspaceStep(), tokens)).toBe("Hello  world");
  expect(decode(metaspaceStep("▁", "first"), tokens)).toBe("Hello  world");
  expect(decode(metaspaceStep("▁", "never"), tokens)).toBe(" Hello  world");
});

test("tokens of one word are joined, words are separated by spaces", () => {
  expect(decode(wordPieceStep(), ["un", "##able", "to", "go", "."])).toBe("unable to go.");
});
