// A TypeScript program, by the compilers of three years, under each way to find a module. Declarations of the packages
// are checked too, but not the compiler's own.
import { join } from "node:path";
import { entriesForPeers } from "../../scripts/entries-for-peers.mjs";
import { inFunction } from "../in-function.mjs";
import { isForVite } from "../readme.mjs";
import { tool } from "../tools.mjs";

const versions = ["5.6", "5.7", "5.8", "5.9", "6.0"];
const settings = {
  bundler: { module: "esnext", moduleResolution: "bundler", extensions: ["ts"] },
  node16: { module: "node16", extensions: ["mts", "cts"] },
  nodenext: { module: "nodenext", extensions: ["mts", "cts"] },
};
const common = {
  target: "es2022",
  lib: ["es2023", "dom", "dom.iterable", "dom.asynciterable"],
  types: [],
  strict: true,
  skipLibCheck: false,
  skipDefaultLibCheck: true,
  noEmit: true,
};

export async function run(project, { check, leftOut }) {
  const entries = project.entries({ peers: ["react"] });
  const others = entries.filter((entry) => !entriesForPeers.react.test(entry));
  const examples = project.readme.examples.filter((example) => {
    if (!isForVite(example)) return true;
    leftOut(
      `TypeScript, the example at line ${example.line}`,
      "it imports addresses, which Vite's types declare",
    );
    return false;
  });
  const codes = [importing(entries), ...examples.map(({ code }) => code)];
  if (others.length === entries.length) {
    await project.install();
    return compileAll(project, check, codes);
  }
  // Entries for others than users of React compile where React has no types.
  if (others.length > 0) {
    await project.install();
    await compileAll(project, check, [importing(others)], ", without types of React");
  }
  await project.install("@types/react@19.3.0", "@types/react-dom@19.3.0");
  await compileAll(project, check, codes);
}

/** A module that imports everything of the entries. */
function importing(entries) {
  return entries
    .map((entry, i) => `import * as entry${i} from ${JSON.stringify(entry)};\nvoid entry${i};\n`)
    .join("");
}

/** Compiles the modules with each compiler, under each way to find a module. */
async function compileAll(project, check, codes, where = "") {
  for (const version of versions) {
    const { default: ts } = await tool(`typescript-${version}`);
    for (const [name, { extensions, ...options }] of Object.entries(settings)) {
      // At the top of a module of CommonJS nothing may wait.
      const files = extensions.flatMap((extension) =>
        codes.map((code, i) => {
          project.write(`user-${i}.${extension}`, extension === "cts" ? inFunction(code) : code);
          return `user-${i}.${extension}`;
        }),
      );
      const config = { compilerOptions: { ...common, ...options }, files };
      await check(`TypeScript ${version}, ${name}${where}`, () => compile(ts, config, project.folder));
    }
  }
}

/** What `tsc -p` does with the configuration. */
function compile(ts, json, folder) {
  const { options, fileNames, errors } = ts.parseJsonConfigFileContent(json, ts.sys, folder);
  const host = ts.createCompilerHost(options);
  host.getCurrentDirectory = () => folder;
  shareLibraries(ts, host);
  const program = ts.createProgram(fileNames, options, host);
  const diagnostics = [...errors, ...ts.getPreEmitDiagnostics(program)];
  if (diagnostics.length > 0) throw new Error(ts.formatDiagnostics(diagnostics, host));
}

const libraries = new Map();

/** The compiler's own declarations are read once: they are most of what a small program consists of. */
function shareLibraries(ts, host) {
  const { getSourceFile } = host;
  const own = host.getDefaultLibLocation();
  host.getSourceFile = (path, ...more) => {
    if (!path.startsWith(own)) return getSourceFile.call(host, path, ...more);
    const key = join(ts.version, path);
    if (!libraries.has(key)) libraries.set(key, getSourceFile.call(host, path, ...more));
    return libraries.get(key);
  };
}
