// The picture of the README is the one that the code above it makes. `vitest -u` draws it anew.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { codeBlocks } from "./code-blocks.js";
import { compileExample } from "./example.js";

const root = fileURLToPath(new URL("../", import.meta.url));

test("the README's picture of attention is what its code draws", async () => {
  const block = codeBlocks(readFileSync(join(root, "README.md"), "utf8"), "README.md").find(({ code }) =>
    code.includes("const picture = attentionMap("),
  )!;
  const { js } = compileExample({ ...block, code: block.code.replace(/^.*\/\/ =>.*$/gm, "") });
  const cache = join(root, "packages/cli/.cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "picture-"));
  try {
    const file = join(folder, "picture.mjs");
    writeFileSync(file, `${js}\nexport { picture };\n`);
    const { picture } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as { picture: string };
    expect(picture).toContain("<svg");
    await expect(`${picture}\n`).toMatchFileSnapshot("../docs/attention-map.svg");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
