import fc from "fast-check";
import { expect, test } from "vitest";
import { ArgumentError, FormatError } from "./errors.js";
import { visibleText } from "./visible-text.js";

/** Characters that a terminal may interpret as a command, or that change the writing direction. */
const steering = /[^\P{Cc}\n\t]|\p{Bidi_Control}/u;
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom("\u001b", "\u009b", "\r", "\b", "\0", "\u007f", "\u202e", "\u2066", "\n", "a", "["),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
  ),
});

test("property: control characters are escaped, and other text is unchanged", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const shown = visibleText(text);
      expect(shown).not.toMatch(steering);
      if (!/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u.test(text)) expect(shown).toBe(text);
    }),
  );
  expect(visibleText("tab\tand\nline, café 👍")).toBe("tab\tand\nline, café 👍");
});

test("property: an error with text from a file has exactly two lines and no control characters", () => {
  fc.assert(
    fc.property(hostile, hostile, hostile, (name, value, key) => {
      for (const received of [value, [value], { [key]: 1 }, new Error(value)]) {
        const { message } = new FormatError({
          fn: "load",
          argument: name,
          source: "model.gguf",
          received,
          expected: "a tensor",
          fix: "fetch it again.",
        });
        expect(message).not.toMatch(steering);
        expect(message.split("\n")).toHaveLength(2);
      }
    }),
  );
  const error = new ArgumentError({
    fn: "load",
    argument: "weight\nFix: run this\u001b[1A",
    received: 1,
    expected: "another",
    fix: "none.",
  });
  expect(error.message).toBe("load: `weight\\nFix: run this\\u001b[1A` is 1, expected another.\nFix: none.");
  expect(error.argument).toBe("weight\nFix: run this\u001b[1A"); // the field of the error is not escaped
});
