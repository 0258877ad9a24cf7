// Tests of the runner of examples: wrong examples must fail.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { codeBlocks, docstringBlocks } from "./code-blocks.js";
import { compileExample, runExamples } from "./example.js";
import { parseExpected } from "./expected.ts";
import { matches } from "./matches.js";

const core = join(fileURLToPath(new URL("../", import.meta.url)), "packages/core");
const run = async (...codes: string[]) =>
  runExamples(
    core,
    codes.map((code) => ({ code, file: "x.md", line: 10 })),
  );

test("a correct example has no problem", async () => {
  const right = `
    import { ByteReader, type Brand } from "@qkv/core";
    const reader = new ByteReader(Uint8Array.of(7, 8), { fn: "f", source: "s" });
    const first: number = reader.uint8("a"); // => 7
    first + 1; // => 8
    console.log([first, "x"]); // => [7, "x"]
    await Promise.resolve({ a: null }); // => { a: null }
    for (const i of [1, 2]) {
      i > 0; // => true
    }
    reader.skip("rest", 2); // => throws FormatError: 1 bytes
    await Promise.reject(new RangeError("far")); // => throws RangeError`;
  expect(await run(right)).toEqual([[]]);
});

test("each wrong example fails, with its line", async () => {
  const [value, thrown, quiet, never, error, promise, missing] = await run(
    "1 + 1; // => 2\n1 + 1; // => 3",
    'throw new RangeError("no")',
    "const f = () => 1;\nf(); // => throws TypeError",
    "if (Math.PI < 3) {\n  1; // => 1\n}",
    'JSON.parse("{"); // => throws RangeError',
    "Promise.resolve(3); // => 3",
    'import "@qkv/tensor";',
  );
  expect(value).toEqual(["x.md:11: `1 + 1` is 2, expected 3"]);
  expect(thrown).toEqual(["x.md:10: RangeError: no"]);
  expect(quiet).toEqual(["x.md:11: `f()` is 1, expected it throws TypeError"]);
  expect(never).toEqual(["x.md:11: `1` was never reached"]);
  expect(error?.[0]).toMatch(
    /^x\.md:10: `JSON\.parse\("\{"\)` threw SyntaxError: .*expected it throws RangeError$/s,
  );
  expect(promise?.[0]).toMatch(/^x\.md:10: .* is Promise \{ 3 \}, expected 3$/);
  expect(missing?.[0]).toMatch(/^x\.md:10: .*Cannot find package '@qkv\/tensor'/);
});

test.each([
  "function f() {\n  return 1; // => 1\n}",
  "const f = () => {\n  1; // => 1\n};",
  "{} // => 1",
  "const { a } = { a: 1 }; // => 1",
])("a `// =>` that would never be checked is refused: %j", (code) => {
  expect(() => compileExample({ code, file: "x.md", line: 1 })).toThrow("1 of 1 `// =>` lines do not follow");
});

describe("an expected value", () => {
  test.each<[unknown, string]>([
    [3, "3"],
    [-0, "0"],
    [-1.5, "-1.5"],
    [NaN, "NaN"],
    [-Infinity, "-Infinity"],
    [0.731059, "0.731"],
    [0.7314999, "0.731"],
    [1.2345e-7, "1.23e-7"],
    ["a\n`b`", '"a\\n`b`"'],
    [undefined, "undefined"],
    [null, "null"],
    [new Float32Array([0.1, 2]), "[0.10, 2]"],
    [[[1], []], "[[1], []]"],
    [{ shape: [2, 3], "a-b": true }, '{ shape: [2, 3], "a-b": true }'],
  ])("%o is what %s says", (value, text) => {
    expect(matches(value, parseExpected(text)), `${String(value)} is what \`// => ${text}\` prints`).toBe(
      true,
    );
  });

  test.each<[unknown, string]>([
    [3.0001, "3"],
    [-3, "3"],
    ["3", "3"],
    [0.7316, "0.731"],
    [0.7304, "0.731"],
    [NaN, "0.5"],
    [Infinity, "-Infinity"],
    ["ab", '"a"'],
    [null, "undefined"],
    [undefined, "null"],
    [[1, 2], "[1]"],
    [[1], "[1, 2]"],
    [{ 0: 1 }, "[1]"],
    [{ a: 1, b: 2 }, "{ a: 1 }"],
    [{}, "{ a: undefined }"],
  ])("%o is not what %s says", (value, text) => {
    expect(matches(value, parseExpected(text)), `${String(value)} is not what \`// => ${text}\` prints`).toBe(
      false,
    );
  });

  test.each(["", "some words", "f(3)", "[1, x]", "1, 2", "{ a }", "3; 4", "[1,"])(
    "%j cannot be read",
    (text) => {
      expect(() => parseExpected(text)).toThrow("Cannot read");
    },
  );
});

test("blocks are found in Markdown, with the line of their code", () => {
  const text = "# A\n\n```ts\n1;\n```\n\n```sh\nls\n```\n\n```ts live\n2;\n3;\n```\n";
  expect(codeBlocks(text, "x.md")).toEqual([
    { code: "1;\n", file: "x.md", line: 4 },
    { code: "2;\n3;\n", file: "x.md", line: 12 },
  ]);
});

test("blocks are found under @example of a docstring, with the line of their code", () => {
  const source = [
    "export const a = 1;",
    "/**",
    " * Says.",
    " *",
    " * @example",
    " * ```ts",
    " * 1;",
    " *   2;",
    " * ```",
    " * @see elsewhere",
    " */",
    "/** ```ts",
    " * not an example",
    " * ``` */",
  ].join("\n");
  expect(docstringBlocks(source, "x.ts")).toEqual([{ code: "1;\n  2;\n", file: "x.ts", line: 7 }]);
  expect(() => docstringBlocks("/**\n * @example\n * f(1)\n */", "x.ts")).toThrow(
    "x.ts:2: this @example has no",
  );
});
