// Packages as their sources: what `npm start` serves, so that an edit shows without a build, and what examples run in Node.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const packages = fileURLToPath(new URL("../../../../packages/", import.meta.url));
const entry = /^@qkv\/([a-z-]+)(?:\/(.+))?$/;

/** The source of an entry point: `@qkv/tensor/losses` is packages/tensor/src/losses.ts. */
export function sourceOf(name) {
  const [, folder, door = "index"] = entry.exec(name) ?? [];
  const file = folder && join(packages, folder, "src", `${door}.ts`);
  return file && existsSync(file) ? file : undefined;
}

/** An esbuild plugin, and the constants that the builds of packages define. */
export const fromSources = {
  plugin: {
    name: "from-sources",
    setup: ({ onResolve }) =>
      onResolve({ filter: entry }, ({ path }) => {
        const file = sourceOf(path);
        return file && { path: file, sideEffects: false };
      }),
  },
  define: { __VERSION__: '"source"' },
};
