// Builds the page that the command `qkv lens` serves: HTML, a module and a worker, with all that they need.
import { build } from "esbuild";
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = join(here, "dist");
rmSync(out, { recursive: true, force: true });
mkdirSync(out);
const shared = {
  absWorkingDir: here,
  // The built packages, as a user gets them, and not the sources that the type checker is pointed to.
  tsconfigRaw: { compilerOptions: { jsx: "react-jsx" } },
  outdir: out,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  define: { "process.env.NODE_ENV": '"production"' },
  alias: {
    // The client of the hub has a build for pages, which its `exports` do not name.
    "@huggingface/hub": join(
      dirname(createRequire(import.meta.url).resolve("@huggingface/hub")),
      "browser/index.mjs",
    ),
    "@qkv/model-tiny": join(here, "src/no-small-model.ts"),
  },
  external: ["node:*", "webgpu"],
  logLevel: "warning",
  logOverride: { "ignored-bare-import": "silent" },
};
await build({ ...shared, entryPoints: ["src/standalone.tsx", "src/worker.ts"], chunkNames: "chunk-[hash]" });
copyFileSync(join(here, "src/standalone.html"), join(out, "index.html"));
