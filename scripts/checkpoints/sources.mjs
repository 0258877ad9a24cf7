// The sources of packages as a module, bundled in memory: no build is needed.
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const packages = fileURLToPath(new URL("../../packages/", import.meta.url));
const entry = "\0sources";

/**
 * Names of source files, as one module.
 *
 * @param {Record<string, string[]>} names - By file, from `packages/`.
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
  return import(`data:text/javascript;base64,${Buffer.from(output[0].code).toString("base64")}`);
}
