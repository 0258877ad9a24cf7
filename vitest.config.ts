import { playwright } from "@vitest/browser-playwright";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { chromiumArgs, chromiumPath } from "./scripts/chromium.mjs";
import { leftOut } from "./scripts/tier.mjs";

const packages = fileURLToPath(new URL("packages/", import.meta.url));
/** Needs globals of its own: ONNX Runtime puts Node's Worker among them, which jax-js takes for a browser's. */
const peers = "apps/docs/src/gpu-check/peers/peers.test.ts";
const browserTests = "packages/*/src/**/*.browser{,.slow}.test.ts";
/** A busy machine is slow, not wrong. */
const patient = { testTimeout: 300_000, hookTimeout: 300_000, expect: { poll: { timeout: 120_000 } } };
const isolated = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export default defineConfig({
  // Unit tests run the sources: `@qkv/x` is packages/x/src/index.ts and `@qkv/x/y` is packages/x/src/y.ts.
  resolve: {
    alias: [
      { find: /^@qkv\/([a-z-]+)$/, replacement: `${packages}$1/src/index.ts` },
      { find: /^@qkv\/([a-z-]+)\/([a-z-]+(?:\/[a-z-]+)?)$/, replacement: `${packages}$1/src/$2.ts` },
    ],
  },
  define: { __VERSION__: JSON.stringify("source") },
  test: {
    // All cores: the default leaves one to the server, which waits.
    maxWorkers: "100%",
    reporters: ["default", "./scripts/closing-line.mjs"],
    coverage: {
      include: ["packages/*/src/**"],
      exclude: ["**/*.test.ts", "packages/test-support/**"],
      // Of each of these packages, by the unit tests of all: what attention and the caches stand on is tensor's.
      thresholds: Object.fromEntries(
        ["core", "tensor", "attention-contract", "attention", "kv-cache", "tokenizer", "cost"].map((name) => [
          `packages/${name}/src/**`,
          { lines: 95 },
        ]),
      ),
    },
    projects: [
      {
        extends: true,
        test: {
          name: "node",
          include: [
            "packages/*/src/**/*.test.ts",
            "apps/docs/*.test.ts",
            "apps/explorer/src/**/*.test.ts",
            "apps/docs/src/**/*.test.ts",
            "conformance/src/**/*.test.ts",
          ],
          exclude: [browserTests, peers, ...leftOut],
          // A worker loads the sources once for all of its files, which takes a third of the time of a worker for each file.
          isolate: false,
          setupFiles: ["./scripts/property-seed.ts", "./scripts/restored-globals.ts"],
          ...patient,
        },
      },
      // What a user gets: README examples, package boundaries, packed tarballs. These run the built packages.
      {
        test: {
          name: "workspace",
          include: ["tests/**/*.test.ts", peers],
          exclude: leftOut,
          ...patient,
        },
      },
      ...(chromiumPath && existsSync(chromiumPath)
        ? [
            {
              extends: true as const,
              server: { headers: isolated },
              // Imported by workers when they are used: a bundle of it made then would reload the page of the test.
              optimizeDeps: { exclude: ["@huggingface/hub"] },
              test: {
                name: "browser",
                include: [browserTests],
                exclude: leftOut,
                ...patient,
                browser: {
                  enabled: true,
                  headless: true,
                  screenshotFailures: false,
                  instances: [{ browser: "chromium" as const }],
                  provider: playwright({
                    launchOptions: { executablePath: chromiumPath, args: chromiumArgs },
                  }),
                },
              },
            },
          ]
        : []),
    ],
  },
});
