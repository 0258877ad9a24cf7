// Imports sources of packages without a build, bundled into a temporary file.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rolldown } from "rolldown";

const packages = fileURLToPath(new URL("../../packages/", import.meta.url));
const entry = "\0sources";

/**
 * Imports names from source files, as one module.
 *
 * @param {Record<string, string[]>} names - Names to import, by path of the file in `packages/`.
 * @returns {Promise<any>}
 */
export async function sources(names) {
  const lines = Object.entries(names).map(
    ([file, own]) => `export { ${own.join(", ")} } from ${JSON.stringify(packages + file)};`,
  );
  const bundle = await rolldown({
    input: entry,
    platform: "node",
    external: /^node:/,
    resolve: { extensionAlias: { ".js": [".ts", ".js"] } },
    transform: { define: { __VERSION__: '"source"' } },
    plugins: [
      {
        name: "sources",
        resolveId(id) {
          if (id === entry) return id;
          const [, name, path = "index"] = /^@qkv\/([a-z-]+)(?:\/([a-z/-]+))?$/.exec(id) ?? [];
          return name === undefined ? null : `${packages}${name}/src/${path}.ts`;
        },
        load: (id) => (id === entry ? lines.join("\n") : null),
      },
    ],
  });
  const { output } = await bundle.generate({ codeSplitting: false });
  await bundle.close();
  const folder = mkdtempSync(join(tmpdir(), "qkv-sources-"));
  try {
    const file = join(folder, "sources.mjs");
    writeFileSync(file, output[0].code);
    return await import(pathToFileURL(file).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
