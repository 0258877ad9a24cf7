// The size of each name of a built package when it is imported alone: bundled by rolldown, minified and gzipped, as
// size-limit measures it.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";

/** Bytes of an import without used names, which size-limit subtracts. */
const ofNothing = 34;

/**
 * The exports of a package's index with their bytes, largest first.
 *
 * @param {string} folder - The package.
 * @param {string[]} beside - Packages that are not counted.
 * @returns {Promise<{ name: string, bytes: number }[]>}
 */
export async function sizesAlone(folder, beside) {
  const index = join(folder, "dist/index.js");
  const names = Object.keys(await import(pathToFileURL(index).href));
  const sizes = [];
  for (const name of names) {
    const code = await bundled(
      `import { ${name} } from ${JSON.stringify(index)};\nconsole.log(${name});`,
      beside,
    );
    sizes.push({ name, bytes: gzipSync(code, { level: 9 }).length - ofNothing });
  }
  return sizes.sort((a, b) => b.bytes - a.bytes);
}

async function bundled(program, beside) {
  const entry = "\0program";
  const bundle = await rolldown({
    input: entry,
    external: (id) => beside.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [
      {
        name: "program",
        resolveId: (id) => (id === entry ? id : null),
        load: (id) => (id === entry ? program : null),
      },
    ],
  });
  const { output } = await bundle.generate({ minify: true, comments: { annotation: false } });
  await bundle.close();
  return output.map(({ code }) => code).join("");
}
