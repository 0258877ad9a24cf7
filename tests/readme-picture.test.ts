// The picture in the README is up to date with the code above it. `vitest -u` draws it again.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { codeBlocks } from "./code-blocks.js";
import { compileExample } from "./example.js";

const root = fileURLToPath(new URL("../", import.meta.url));

test("the README's code draws its picture of attention", async () => {
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
