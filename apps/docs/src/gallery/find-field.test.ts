import { readConfig } from "@qkv/cost";
import { isQkvError } from "@qkv/core";
import { expect, test } from "vitest";
import { findField } from "./find-field";

const text = `{
  "model_type": "outer",
  "layer_types": [
    "full_attention",
    "conv",
    "full_attention"
  ],
  "text_config": {
    "model_type": "inner",
    "vocab_size": null
  }
}`;

test("a field is found by its name, or by its name and value", () => {
  expect(findField(text, "model_type", "outer")).toMatchObject({ line: 2, index: 1 });
  expect(findField(text, "model_type", "inner")!.line).toBe(9);
  expect(findField(text, "vocab_size", null)!.line).toBe(10);
  expect(findField(text, "layer_types.length", 3)!.line).toBe(3);
  expect(findField(text, "hidden_size", undefined)).toBeUndefined();
  expect(findField(text, "config", text)).toBeUndefined();
});

test("an element of a list is found by its index, on one line or several", () => {
  const found = findField(text, "layer_types[1]", "conv")!;
  expect(found.line).toBe(5);
  expect(found.lines[found.index]).toContain('"conv"');
  expect(findField('{"layer_types": ["a", "b"]}', "layer_types[1]", "b")!.line).toBe(1);
});

test("the line shown contains the field that readConfig refused", () => {
  try {
    readConfig(text.replace('"outer"', '"llama"'));
    expect.unreachable();
  } catch (error) {
    if (!isQkvError(error)) throw error;
    const { argument, received } = error as unknown as { argument: string; received: unknown };
    const place = findField(text, argument, received)!;
    expect(place.lines[place.index]).toContain('"conv"');
  }
});
