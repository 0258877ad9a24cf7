import { expect, test } from "vitest";
import { markdownAddress } from "./markdown-address";

test.each([
  ["https://a/qkv/learn/causal/", "https://a/qkv/learn/causal/index.md"],
  ["https://a/qkv/learn/causal/#now", "https://a/qkv/learn/causal/index.md"],
  ["https://a/qkv/learn/causal?code=1", "https://a/qkv/learn/causal/index.md"],
  ["https://a/qkv/learn/causal/index.html", "https://a/qkv/learn/causal/index.md"],
])("%s", (page, markdown) => {
  expect(markdownAddress(page)).toBe(markdown);
});
