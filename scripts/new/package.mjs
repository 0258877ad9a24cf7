// Template of a package: one function with its test, README, size budget and entries in the package lists.

export const json = ({ kebab, words }) => `{
  "name": "@qkv/${kebab}",
  "version": "0.0.0",
  "description": "One sentence about ${words}.",
  "license": "MIT",
  "type": "module",
  "sideEffects": false,
  "engines": {
    "node": ">=20"
  },
  "keywords": ["attention", "transformer", "qkv"],
  "repository": {
    "type": "git",
    "url": "git+https://github.com/qkv-js/qkv.git",
    "directory": "packages/${kebab}"
  },
  "files": ["dist", "CHANGELOG.md"],
  "publishConfig": {
    "access": "public"
  },
  "main": "./dist/index.cjs",
  "module": "./dist/index.js",
  "types": "./dist/index.d.ts",
  "exports": {
    ".": {
      "import": {
        "types": "./dist/index.d.ts",
        "default": "./dist/index.js"
      },
      "require": {
        "types": "./dist/index.d.cts",
        "default": "./dist/index.cjs"
      }
    },
    "./package.json": "./package.json"
  },
  "scripts": {
    "build": "tsup && node ../../scripts/declarations.mjs",
    "prepack": "node ../../scripts/built.mjs",
    "typecheck": "tsc -b",
    "test": "vitest run --root ../.. packages/${kebab}/"
  },
  "dependencies": {
    "@qkv/core": "workspace:^"
  }
}
`;

export const tsconfig = () => `{
  "extends": "../../tsconfig.base.json",
  "compilerOptions": {
    "composite": true,
    "emitDeclarationOnly": true,
    "rootDir": "..",
    "outDir": ".types",
    "tsBuildInfoFile": ".types/tsbuildinfo"
  },
  "include": ["src"],
  "references": [
    {
      "path": "../core"
    }
  ]
}
`;

export const tsup = () => `import { library } from "../../tsup.config.base.js";

export default library(["index"]);
`;

const use = (kebab) => `import { indicesOf } from "@qkv/${kebab}";

indicesOf(["a", "b", "a"], "a"); // => [0, 2]
`;

export const readme = ({ kebab, words }) => `# @qkv/${kebab}

One sentence about ${words}.

\`\`\`ts
${use(kebab)}\`\`\`
`;

export const index = () => `export { indicesOf } from "./indices-of.js";
`;

export const code = ({ kebab }) => `import { ArgumentError } from "@qkv/core";

/**
 * Returns every index at which a list has a value.
 *
 * @param list - Searched from the start.
 * @param value - Compared with \`===\`.
 * @returns Indices, ascending; empty if the value is not there.
 * @throws {ArgumentError} If \`list\` is not an array.
 *
 * @example
 * \`\`\`ts
${use(kebab)
  .trimEnd()
  .split("\n")
  .map((line) => ` *${line === "" ? "" : ` ${line}`}`)
  .join("\n")}
 * \`\`\`
 */
export function indicesOf<T>(list: readonly T[], value: T): number[] {
  if (!Array.isArray(list)) {
    throw new ArgumentError({
      fn: "indicesOf",
      argument: "list",
      received: list,
      expected: "an array",
      fix: "pass an array; a typed array becomes one with \`Array.from\`.",
    });
  }
  return list.flatMap((each, index) => (each === value ? [index] : []));
}
`;

export const test = () => `import fc from "fast-check";
import { expect, test } from "vitest";
import { indicesOf } from "./index.js";

test("property: the value is at each index returned, and at no other", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3)), fc.nat(3), (list, value) => {
      const indices = indicesOf(list, value);
      list.forEach((each, index) => expect(indices.includes(index)).toBe(each === value));
    }),
  );
});

test("golden: two of three", () => {
  expect(indicesOf(["a", "b", "a"], "a")).toEqual([0, 2]);
});

test("a string is refused, with the fix", () => {
  expect(() => indicesOf("aba" as never, "a" as never)).toThrow(/indicesOf: \`list\` is .*\\nFix: pass an array/);
});
`;

export const changeset = ({ kebab, words }) => `---
"@qkv/${kebab}": minor
---

Added \`@qkv/${kebab}\`, a package for ${words}.
`;
