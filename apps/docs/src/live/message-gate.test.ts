import type { Message } from "@qkv/page";
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { bounds, isControl, messageGate, type Ending } from "./message-gate.js";

afterEach(() => vi.restoreAllMocks());

/** A gate, and the messages that passed it. */
function gate() {
  const sent: (Message | Ending)[] = [];
  return { sent, ...messageGate((message) => sent.push(message)) };
}
const slider = (label: string) => ({ type: "slider", label, min: 0, max: 1, step: 0.1, value: 0 });
const texts = (sent: readonly (Message | Ending)[]) =>
  sent.flatMap((one) => (one.type === "text" ? [one.text] : []));

test("100,000 sliders: only the first few pass, followed by a notice", () => {
  const { sent, pass } = gate();
  for (let i = 0; i < 100_000; i++) pass(slider(`slider ${i}`));
  for (let i = 0; i < 10; i++) pass(slider("slider 0")); // the same label is the same control
  expect(sent.length).toBe(bounds.controls + 1);
  expect(texts(sent)).toEqual([`More than ${bounds.controls} controls: the rest is not shown.`]);
});

test("900 lines of 3 MB: each is truncated, and the total length is limited", () => {
  const { sent, pass } = gate();
  const line = "x".repeat(3e6);
  for (let i = 0; i < 900; i++) pass({ type: "text", text: line, level: "log" });
  expect(texts(sent)[0]).toMatch(/^x{20000} … 3000000 characters in total$/);
  expect(texts(sent).at(-1)).toBe(`More than ${bounds.texts} characters of text: the rest is not shown.`);
  expect(texts(sent).join("").length).toBeLessThan(bounds.texts + 100);
});

test("too large or too many pictures are replaced by a notice", () => {
  const { sent, pass } = gate();
  pass({ type: "picture", svg: "x".repeat(bounds.picture + 1) });
  expect(texts(sent)).toEqual([
    "A picture of 2000001 characters is not shown. The limit is 2000000 characters per picture.",
  ]);
  for (let i = 0; i < 6; i++) pass({ type: "picture", svg: "x".repeat(bounds.picture) });
  expect(sent.filter(({ type }) => type === "picture").length).toBe(bounds.pictures / bounds.picture);
  expect(texts(sent).at(-1)).toBe(
    "A picture of 2000000 characters is not shown. The limit is 8000000 characters for all pictures.",
  );
});

test("a picture with too many elements is replaced by a notice, even if its text is short", () => {
  const { sent, pass } = gate();
  for (let i = 0; i < 2; i++) pass({ type: "picture", svg: "<g></g>".repeat(6000) });
  expect(sent.map(({ type }) => type)).toEqual(["picture", "text"]);
  expect(texts(sent)).toEqual([
    "A picture of 42000 characters is not shown. The limit is 10000 elements for all pictures.",
  ]);
});

test("two gates in sequence give one notice", () => {
  const { sent, pass } = gate();
  const first = messageGate(pass);
  for (let i = 0; i < 3000; i++)
    first.pass({ type: "text", text: "x".repeat(i % 7 ? 300 : 30_000), level: "log" });
  for (let i = 0; i < 3000; i++) first.pass({ type: "text", text: "x", level: "log" });
  for (let i = 0; i < 100; i++) first.pass(slider(`slider ${i}`));
  expect(texts(sent).filter((text) => /the rest is not shown/.test(text)).length).toBe(1);
});

test("a run ends once, with at most one error, whose text is truncated", () => {
  const { sent, end } = gate();
  for (let i = 0; i < 3; i++) end({ type: "done" });
  for (let i = 0; i < 3; i++) end({ type: "error", text: "x".repeat(1e6), line: 2, column: {} });
  for (const other of [null, 1, { type: "text", text: "no end" }, {}]) end(other);
  expect(sent.length).toBe(2);
  expect(sent[1]).toEqual({ type: "error", text: expect.stringMatching(/^x{20000} … 1000000 characters/) });
});

test("property: for any input, only valid messages pass, within the limits", () => {
  const value = fc.oneof(
    fc.anything(),
    fc.constantFrom("text", "picture", "slider", "field", "choice", "files", "check", "log", "done"),
    fc.string(),
    fc.double(),
  );
  const keys = [
    "type",
    "text",
    "level",
    "svg",
    "label",
    "min",
    "max",
    "step",
    "value",
    "options",
    "names",
    "what",
  ];
  const message = fc.oneof(
    value,
    fc.dictionary(fc.constantFrom(...keys, "holds", "extra", "__proto__"), value),
  );
  const kinds: Record<string, Record<string, string>> = {
    text: { text: "string", level: "string" },
    picture: { svg: "string" },
    check: { what: "string", holds: "boolean" },
    slider: { label: "string", min: "number", max: "number", step: "number", value: "number" },
    field: { label: "string", value: "string" },
    choice: { label: "string", options: "object", value: "string" },
    files: { label: "string", names: "object" },
  };
  fc.assert(
    fc.property(fc.array(message, { maxLength: 200 }), (messages) => {
      const { sent, pass } = gate();
      for (const one of messages) pass(one);
      for (const { type, ...fields } of sent) {
        const types = Object.entries(fields).map(([name, field]) => [name, typeof field]);
        expect(Object.fromEntries(types)).toEqual(kinds[type]);
      }
      expect(sent.filter((one) => isControl(one as Message)).length).toBeLessThanOrEqual(bounds.controls);
    }),
  );
});

test("built-in functions that live code has replaced do not circumvent it", () => {
  const { sent, pass } = gate();
  vi.spyOn(String.prototype, "slice").mockReturnValue("x".repeat(1e7));
  vi.spyOn(Function.prototype, "call").mockReturnValue(true);
  vi.spyOn(Array, "isArray").mockReturnValue(true);
  vi.spyOn(Reflect, "apply").mockReturnValue("y");
  pass({ type: "text", text: "x".repeat(1e6), level: "log" });
  pass({ type: "files", label: "files", names: { length: 1e9 } });
  pass(slider("a"));
  vi.restoreAllMocks();
  expect(sent.map(({ type }) => type)).toEqual(["text", "slider"]);
  expect(texts(sent)[0]!.length).toBeLessThan(bounds.text + 100);
});
