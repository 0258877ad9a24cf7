import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";
import arrows from "./scripts/lint/arrows.mjs";
import asserts from "./scripts/lint/asserts.mjs";
import cycles from "./scripts/lint/cycles.mjs";

const qkv = { rules: { arrows, asserts, cycles } };

export default defineConfig(
  globalIgnores([
    "**/dist",
    "**/build",
    "**/.types",
    "**/.docusaurus",
    "**/.cache",
    "**/coverage",
    "apps/docs/static",
    "conformance/data",
    "packages/wasm/assembly/layout.ts",
    "packages/wasm/assembly/micro-kernels.ts",
    "packages/wasm/src/binaries",
  ]),
  js.configs.recommended,
  tseslint.configs.strict,
  {
    rules: {
      // Indices are checked by noUncheckedIndexedAccess; in kernels `!` says "inside the bounds that the public function checked".
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "no-restricted-syntax": [
        "error",
        {
          selector: "ExportAllDeclaration",
          message: "List every public name: an index is the package's table of contents.",
        },
      ],
      eqeqeq: "error",
      "prefer-const": "error",
    },
  },
  {
    files: ["**/*.test.ts"],
    plugins: { qkv },
    rules: {
      // Beside expect: helpers that compare with the plain device or a model, and leaving a test out.
      "qkv/asserts": [
        "error",
        { names: ["checkGradient", "checkAgainstModel", "agree", "agreeOnRead", "skip"] },
      ],
    },
  },
  {
    files: ["tests/**/*.test.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector:
            'CallExpression[callee.property.name="toBe"][arguments.0.raw=/^(true|false)$/][callee.object.callee.name="expect"][callee.object.arguments.length=1]',
          message:
            '"expected false to be true" says nothing: compare values, or give `expect` a message with what holds, why, and what to do.',
        },
        {
          selector: 'CallExpression[callee.object.name="vi"][callee.property.name=/^wait(For|Until)$/]',
          message: "It gives up after 1 s: `expect.poll` waits as long as vitest.config.ts says.",
        },
      ],
    },
  },
  {
    // AssemblyScript: functions may be decorated, types are numbers of the machine and checked by its own compiler.
    files: ["packages/wasm/assembly/**/*.ts"],
    languageOptions: { parserOptions: { allowInvalidAST: true } },
    rules: {
      // `===` compares addresses, and there are no imports of types alone.
      eqeqeq: "off",
      "@typescript-eslint/consistent-type-imports": "off",
      "one-var": ["error", "never"],
    },
  },
  // The names of other packages under one name: each stands in the index of its own package, and all in api.md.
  {
    files: ["packages/cli/src/index.ts", "packages/cli/src/browser.ts", "packages/cli/src/subpaths/**/*.ts"],
    rules: { "no-restricted-syntax": "off" },
  },
  // An exercise imports what its solution needs.
  { files: ["apps/docs/examples/exercise-*.ts"], rules: { "@typescript-eslint/no-unused-vars": "off" } },
  {
    files: ["packages/*/src/**/*.ts"],
    ignores: ["packages/test-support/**"],
    plugins: { qkv },
    rules: { "qkv/arrows": "error", "qkv/cycles": "error" },
  },
  {
    files: ["packages/*/src/**"],
    ignores: ["packages/cli/**", "**/*.test.ts"],
    rules: { "no-console": "error" },
  },
  {
    files: ["**/*.mjs", "**/*.js", "**/*.cjs"],
    languageOptions: {
      globals: {
        process: "readonly",
        performance: "readonly",
        console: "readonly",
        URL: "readonly",
        self: "readonly",
        fetch: "readonly",
        AbortController: "readonly",
        Blob: "readonly",
        setTimeout: "readonly",
        clearTimeout: "readonly",
        TextEncoder: "readonly",
        TextDecoder: "readonly",
        btoa: "readonly",
        Buffer: "readonly",
      },
    },
  },
);
