// The rule against tests that assert nothing, on tests that do and do not.
import { Linter } from "eslint";
import { expect, test } from "vitest";
import asserts from "../scripts/lint/asserts.mjs";

const config = {
  plugins: { qkv: { rules: { asserts } } },
  rules: { "qkv/asserts": ["error", { names: ["checkGradient"] }] },
} as const;
const reports = (code: string) => new Linter().verify(code, [config] as never).map(({ message }) => message);

test.each([
  `test("empty", () => {});`,
  `test("calls only", () => { softmax(x); });`,
  `test.each([1, 2])("of several %i", (n) => { run(n); });`,
  `test.skipIf(!node).each(list)("of some", async () => { await run(); });`,
  `it("by a helper that does nothing", () => { helper(); }); function helper() { run(); }`,
  `test("properties without a claim", () => { fc.assert(fc.property(size, (n) => { run(n); })); });`,
  `test("with a time limit", { timeout: 5 }, () => { run(); });`,
])("%s is refused", (code) => {
  expect(reports(code)).toEqual([expect.stringContaining("This test asserts nothing")]);
});

test.each([
  `test("plain", () => { expect(1).toBe(1); });`,
  `test("in a property", () => { fc.assert(fc.property(size, (n) => { expect(n).toBe(n); })); });`,
  `test("by a helper here", () => { helper(); }); const helper = () => { expect(1).toBe(1); };`,
  `test("by a helper that is handed on", () => { list.forEach(helper); }); function helper(x) { expect(x).toBe(1); }`,
  `test("by a helper from elsewhere", () => { checkGradient(f, x); });`,
  `test.each([1])("named", same); function same(n) { expectSame(n); }`,
  `describe("a group", () => { run(); });`,
])("%s is let through", (code) => {
  expect(reports(code)).toEqual([]);
});
