// The examples of READMEs and docstrings compile in strict mode against the built packages.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { docstringExamples, readmeExamples, type Shown } from "./shown-examples.js";

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts", "lib.dom.asynciterable.d.ts"],
  types: ["node"], // for examples that read files
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  moduleDetection: ts.ModuleDetectionKind.Force,
};

/** Compiler messages about the examples, each with the file and line of the original. */
function typeErrors(shown: Shown[]): string[] {
  const folders = new Map<string, string>();
  try {
    const examples = shown.flatMap(({ folder, blocks }) => {
      mkdirSync(join(folder, ".cache"), { recursive: true });
      if (!folders.has(folder)) folders.set(folder, mkdtempSync(join(folder, ".cache", "types-")));
      return blocks.map((block) => ({ ...block, folder }));
    });
    const byPath = new Map(
      examples.map((example, i) => [
        join(folders.get(example.folder) ?? "", `${i}.mts`).replaceAll("\\", "/"),
        example,
      ]),
    );
    for (const [path, { code }] of byPath) writeFileSync(path, code);
    return ts
      .getPreEmitDiagnostics(ts.createProgram([...byPath.keys()], options))
      .map(({ file, start, messageText }) => {
        const message = ts.flattenDiagnosticMessageText(messageText, " ");
        const example = file && byPath.get(file.fileName);
        if (!example) return message;
        return `${example.file}:${example.line + file.getLineAndCharacterOfPosition(start ?? 0).line}: ${message}`;
      });
  } finally {
    for (const folder of folders.values()) rmSync(folder, { recursive: true });
  }
}

test("a type error is reported at the example's file and line", () => {
  const [core] = readmeExamples().filter(({ name }) => name === "@qkv/core");
  const wrong = {
    code: 'import { ByteReader } from "@qkv/core";\nnew ByteReader("bytes");\n',
    file: "x.md",
    line: 7,
  };
  expect(typeErrors([{ name: "x", folder: core?.folder ?? "", blocks: [wrong] }])).toEqual([
    expect.stringMatching(/^x\.md:8: Expected 2 arguments/),
  ]);
});

test("every example compiles strictly", () => {
  expect(typeErrors([...readmeExamples(), ...docstringExamples()])).toEqual([]);
});
