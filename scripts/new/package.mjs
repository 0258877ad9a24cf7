// A new package: one function with its test, README, size budget and place among the others.

export const json = ({ kebab, words }) => `{
  "name": "@qkv/${kebab}",
  "version": "0.0.0",
  "description": "What ${words} gives, in one sentence.",
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
    "build": "tsup",
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

const use = (kebab) => `import { positionsOf } from "@qkv/${kebab}";

positionsOf(["a", "b", "a"], "a"); // => [0, 2]
`;

export const readme = ({ kebab, words }) => `# @qkv/${kebab}

What ${words} gives, in one sentence.

\`\`\`ts
${use(kebab)}\`\`\`
`;

export const index = () => `export { positionsOf } from "./positions-of.js";
`;

export const code = ({ kebab }) => `import { ArgumentError } from "@qkv/core";

/**
 * Where a value stands in a list.
 *
 * @param list - What is searched.
 * @param value - Compared with \`===\`.
 * @returns Places from 0 on, in order; none where the value is not there.
 * @throws {ArgumentError} If \`list\` is no list.
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
export function positionsOf<T>(list: readonly T[], value: T): number[] {
  if (!Array.isArray(list)) {
    throw new ArgumentError({
      fn: "positionsOf",
      argument: "list",
      received: list,
      expected: "a list",
      fix: "pass an array; a typed array becomes one with \`Array.from\`.",
    });
  }
  return list.flatMap((each, place) => (each === value ? [place] : []));
}
`;

export const test = () => `import fc from "fast-check";
import { expect, test } from "vitest";
import { positionsOf } from "./index.js";

test("property: the value stands at each place, and nowhere else", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3)), fc.nat(3), (list, value) => {
      const places = positionsOf(list, value);
      list.forEach((each, place) => expect(places.includes(place)).toBe(each === value));
    }),
  );
});

test("golden: two of three", () => {
  expect(positionsOf(["a", "b", "a"], "a")).toEqual([0, 2]);
});

test("what is no list is refused, with the fix", () => {
  expect(() => positionsOf("aba" as never, "a" as never)).toThrow(/positionsOf: \`list\` is .*\\nFix: pass an array/);
});
`;

export const changeset = ({ kebab, words }) => `---
"@qkv/${kebab}": minor
---

Added \`@qkv/${kebab}\`: what ${words} gives.
`;
