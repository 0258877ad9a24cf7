import { bars } from "@qkv/viz";
import { afterEach, expect, test } from "vitest";
import { check } from "./check.js";
import { choice } from "./choice.js";
import { fileField } from "./file-field.js";
import { connect, type ControlValue, type Message } from "./host.js";
import { print } from "./print.js";
import { show } from "./show.js";
import { slider } from "./slider.js";
import { textField } from "./text-field.js";

const connectPage = (values: Record<string, ControlValue> = {}) => {
  const messages: Message[] = [];
  connect({ post: (message) => messages.push(message), values });
  return messages;
};
afterEach(() => connect(undefined));

test("without a page, controls return their initial values and the others nothing", () => {
  expect(show(1)).toBeUndefined();
  expect(print("a")).toBeUndefined();
  expect(slider("window", { min: 1, max: 12, value: 4 })).toBe(4);
  expect(textField("text", { value: "a" })).toBe("a");
});

test("every copy of the package uses the connected page", () => {
  const messages = connectPage();
  const other = (globalThis as unknown as Record<symbol, { post(message: Message): void } | undefined>)[
    Symbol.for("@qkv/page/host")
  ];
  other?.post({ type: "text", text: "from another copy", level: "log" });
  expect(messages.length).toBe(1);
});

test("`show` posts a picture as a picture, anything else as text", () => {
  const messages = connectPage();
  const picture = bars({ data: [1], shape: [1] });
  show(picture);
  show("<b>");
  print("sum", [1, 2], { a: 1 });
  expect(messages).toEqual([
    { type: "picture", svg: picture },
    { type: "text", text: "<b>", level: "log" },
    { type: "text", text: "sum [1, 2] { a: 1 }", level: "log" },
  ]);
});

test("a slider returns the value of the reader, within its range", () => {
  const messages = connectPage({ window: 7, far: 99, low: -3 });
  expect(slider("window", { min: 1, max: 12, value: 4 })).toBe(7);
  expect(slider("far", { min: 0, max: 1, step: 0.1, value: 0.5 })).toBe(1);
  expect(slider("low", { min: 2, max: 5, value: 4 })).toBe(2);
  expect(slider("toString", { min: 0, max: 1, value: 0 })).toBe(0);
  expect(messages[0]).toEqual({ type: "slider", label: "window", min: 1, max: 12, step: 1, value: 7 });
});

test("a text field returns the text of the reader, also an empty one", () => {
  const messages = connectPage({ typed: "b", empty: "", slid: 3 });
  expect(textField("typed", { value: "a" })).toBe("b");
  expect(textField("empty", { value: "a" })).toBe("");
  expect(textField("slid", { value: "a" })).toBe("a");
  expect(textField("toString", { value: "a" })).toBe("a");
  expect(messages[0]).toEqual({ type: "field", label: "typed", value: "b" });
  expect(slider("typed", { min: 1, max: 2, value: 1 })).toBe(1);
  expect(() => textField("typed", { value: 3 as never })).toThrow(
    "textField: `value` is 3, expected a string.\nFix: write textField",
  );
});

test.each([
  [{ min: 3, max: 3, value: 3 }, "slider: `min` is 3, expected a number below max = 3"],
  [{ min: NaN, max: 3, value: 3 }, "`min` is NaN"],
  [{ min: 0, max: 3, step: 0, value: 1 }, "`step` is 0, expected a number above 0"],
  [{ min: 0, max: 3, value: 4 }, "`value` is 4, expected a number from 0 to 3"],
])("%j is refused", (options, message) => {
  expect(() => slider("window", options)).toThrow(message);
});

test("a file field returns the chosen files, at first none", () => {
  const file = new File(["{}"], "config.json");
  const messages = connectPage({ chosen: [file], slid: 3 });
  expect(fileField("chosen")).toEqual([file]);
  expect(fileField("slid")).toEqual([]);
  expect(fileField("never")).toEqual([]);
  expect(messages[0]).toEqual({ type: "files", label: "chosen", names: ["config.json"] });
  expect(messages[2]).toEqual({ type: "files", label: "never", names: [] });
  expect(slider("chosen", { min: 1, max: 2, value: 1 })).toBe(1);
  expect(textField("chosen", { value: "a" })).toBe("a");
});

test("a check returns and posts whether its claim holds", () => {
  const messages = connectPage();
  expect([check("one is one", true), check("one is two", false)]).toEqual([true, false]);
  expect(messages).toEqual([
    { type: "check", what: "one is one", holds: true },
    { type: "check", what: "one is two", holds: false },
  ]);
});

test("a choice returns the chosen option, or the first if it no longer exists", () => {
  const messages = connectPage({ device: "wasm", other: "gone", slid: 3 });
  expect(choice("device", ["js", "wasm"])).toBe("wasm");
  expect(choice("other", ["js", "wasm"])).toBe("js");
  expect(choice("slid", ["js"])).toBe("js");
  expect(choice("toString", ["js"])).toBe("js");
  expect(messages[0]).toEqual({ type: "choice", label: "device", options: ["js", "wasm"], value: "wasm" });
  expect(() => choice("device", [])).toThrow("choice: `options` is [], expected one text or number, or more");
});

test("numbers in a choice are shown with commas, and returned as numbers", () => {
  const messages = connectPage({ tokens: "16,384" });
  expect(choice("tokens", [1024, 16384])).toBe(16384);
  expect(choice("other", [0.001, 1024, 16384], { value: 1024 })).toBe(1024);
  expect(messages).toEqual([
    { type: "choice", label: "tokens", options: ["1,024", "16,384"], value: "16,384" },
    { type: "choice", label: "other", options: ["0.001", "1,024", "16,384"], value: "1,024" },
  ]);
  expect(() => choice("device", ["js"], { value: "gpu" as never })).toThrow(
    'choice: `value` is "gpu", expected one of js.\nFix: give one of the options',
  );
  const sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256];
  expect(() => choice("tokens", sizes, { value: 30 })).toThrow(
    "choice: `value` is 30, expected one of 8, 16, 32, … (the call lists all 9).",
  );
});

test("print writes integers with commas, and lists as in code", () => {
  const messages = connectPage();
  print("tokens", 16384, 1024, -60972, 12345.5, [16384]);
  expect(messages).toMatchObject([{ text: "tokens 16,384 1024 -60,972 12345.5 [16384]" }]);
});
