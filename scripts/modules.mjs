// Writes dist/modules of the package in the current folder, as the third part of its build: one ES module for each source, for
// the bundlers that read the condition `module` of package.json (esbuild, Vite, Rollup, webpack). A bundler that splits code
// moves files as wholes: one file of a package is loaded first with all that any later chunk uses of it. Node reads the bundled
// files instead, since it would open hundreds of these.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { rolldown } from "rolldown";
import { parseAst } from "rolldown/parseAst";

const json = JSON.parse(readFileSync("package.json", "utf8"));
const entries = Object.values(json.exports)
  .map((entry) => entry.import?.module)
  .filter(Boolean)
  .map((file) => posix.relative("dist/modules", file).replace(/\.js$/, ""));
const bundle = await rolldown({
  input: Object.fromEntries(entries.map((name) => [name, `src/${name}.ts`])),
  external: (name) => !/^[./]/.test(name),
  treeshake: { moduleSideEffects: false },
  tsconfig: false,
  resolve: { extensionAlias: { ".js": [".ts"] } },
  transform: { define: { __VERSION__: JSON.stringify(json.version) }, target: "es2022" },
});
const { output } = await bundle.generate({
  format: "es",
  preserveModules: true,
  preserveModulesRoot: "src",
  entryFileNames: "[name].js",
  comments: { jsdoc: false },
});
await bundle.close();

const files = new Map(output.map(({ fileName, code }) => [fileName, code]));
const exportsOf = new Map(output.map(({ fileName, exports }) => [fileName, exports]));
for (const entry of entries) exportByModule(entry);
rmSync("dist/modules", { recursive: true, force: true });
for (const [name, code] of files) {
  const file = join("dist/modules", name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, code);
}

/**
 * Rewrites an entry that lists its exports by name as one `export *` for each module. esbuild follows `export *` to the one
 * module that a program imports from; an entry with names is loaded first, and with it every module that it imports.
 * Modules that export more than the entry lists are exported through a file with the listed names.
 */
function exportByModule(entry) {
  const file = `${entry}.js`;
  const { body } = parseAst(files.get(file));
  const isListing = ({ type, declaration }) => /^(Import|ExportNamed|ExportAll)/.test(type) && !declaration;
  if (!body.every(isListing)) return;
  const imported = new Map(); // local name → [module, its name]
  const named = new Map(); // module → [[its name, the entry's name]]
  const add = (from, ...names) => named.set(from, [...(named.get(from) ?? []), names]);
  for (const { type, source, specifiers } of body) {
    for (const { local, imported: name, exported } of specifiers ?? []) {
      if (type === "ImportDeclaration") imported.set(local.name, [source.value, name.name]);
      else if (source) add(source.value, local.name, exported.name);
      else add(...imported.get(local.name), exported.name);
    }
  }
  const lines = body
    .filter(({ type }) => type === "ExportAllDeclaration")
    .map(({ source }) => `export * from ${JSON.stringify(source.value)};\n`);
  for (const [from, names] of named) {
    const target = from.startsWith(".") ? posix.join(posix.dirname(file), from) : undefined;
    const all = exportsOf.get(target);
    const isAll =
      all?.length === names.length && names.every(([name, as]) => name === as && all.includes(name));
    lines.push(`export * from ${JSON.stringify(isAll ? from : listNames(entry, from, target, names))};\n`);
  }
  files.set(file, lines.join(""));
}

/** Writes a file that exports some names of a module, and returns its path from the entry. */
function listNames(entry, from, target, names) {
  const list = names.map(([name, as]) => (name === as ? name : `${name} as ${as}`)).join(", ");
  const label = entry.replaceAll("/", "-");
  const file = target
    ? target.replace(/\.js$/, `.${label}.js`)
    : `${entry}.${from.replace("@", "").replaceAll("/", "-")}.js`;
  const source = target ? `./${posix.basename(target)}` : from;
  files.set(file, `export { ${list} } from ${JSON.stringify(source)};\n`);
  return `./${posix.relative(posix.dirname(`${entry}.js`), file)}`;
}
