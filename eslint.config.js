import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";
import asserts from "./scripts/lint/asserts.mjs";

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
    "packages/wasm/assembly",
    "packages/wasm/src/binaries",
  ]),
  js.configs.recommended,
  tseslint.configs.strict,
  {
    rules: {
      // Indices are checked by noUncheckedIndexedAccess; in kernels `!` says "inside the bounds that the door checked".
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
    plugins: { qkv: { rules: { asserts } } },
    rules: {
      // Beside expect: helpers that compare with the plain device or a model, and leaving a test out.
      "qkv/asserts": ["error", { names: ["checkGradient", "checkAgainstModel", "agree", "close", "skip"] }],
    },
  },
  // An exercise imports what its solution needs.
  { files: ["apps/docs/examples/exercise-*.ts"], rules: { "@typescript-eslint/no-unused-vars": "off" } },
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
