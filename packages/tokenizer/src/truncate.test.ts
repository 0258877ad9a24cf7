import { expect, test } from "vitest";
import { truncatedLengths } from "./truncate.js";

// Worked out by the rules of Hugging Face's tokenizers.
test.each([
  ["the longer one first, until both are as long", [10, 2], { maxLength: 6 }, [4, 2]],
  ["the same, whichever it is", [2, 10], { maxLength: 6 }, [2, 4]],
  ["of what is odd the longer one keeps more", [9, 8], { maxLength: 7 }, [4, 3]],
  ["of what is odd the longer one keeps more, whichever it is", [8, 9], { maxLength: 7 }, [3, 4]],
  ["the first alone", [5, 4], { maxLength: 6, strategy: "onlyFirst" }, [2, 4]],
  ["the second alone", [5, 4], { maxLength: 6, strategy: "onlySecond" }, [5, 1]],
  ["what fits stays", [3, 3], { maxLength: 6 }, [3, 3]],
] as const)("%s", (_, lengths, truncation, wanted) => {
  expect(truncatedLengths(lengths, 0, truncation)).toEqual(wanted);
  const specialTokens = 3;
  const larger = { ...truncation, maxLength: truncation.maxLength + specialTokens };
  expect(truncatedLengths(lengths, specialTokens, larger)).toEqual(wanted);
});
