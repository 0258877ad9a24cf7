// Installs each public package alone in an empty folder and uses it as users of every kind do. Needs the packages built.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installPacked } from "./install-packed.mjs";
import { nodeOf } from "./nodes.mjs";
import { packAll } from "./pack.mjs";
import { publicPackages } from "./packages.mjs";

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const counts = { passed: 0, failed: 0, skipped: 0 };

// How a TypeScript user may have set up a project; declarations of the packages are checked too (no skipLibCheck).
const settings = [
  { module: "nodenext", file: "user.mts" },
  { module: "nodenext", file: "user.cts" },
  { module: "esnext", moduleResolution: "bundler", file: "user.ts" },
];

function check(name, program, args, cwd) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, NODE_PATH: "" },
  });
  counts[status === 0 ? "passed" : "failed"] += 1;
  console.log(`${status === 0 ? "ok" : "failed"}: ${name}`);
  if (status !== 0) console.log(`${stdout}${stderr}`);
}

function useAlone({ name, json }, tarballs, folder) {
  installPacked(folder, tarballs, [name], { offline: false });
  const list = JSON.stringify(
    Object.keys(json.exports)
      .filter((entry) => entry !== "./package.json")
      // A door named after a peer, as `@qkv/viz/react`, is for those who have that installed.
      .filter((entry) => !(entry.slice(2) in (json.peerDependencies ?? {})))
      .map((entry) => (entry === "." ? name : `${name}/${entry.slice(2)}`)),
  );
  for (const major of [20, 24]) {
    const node = nodeOf(major);
    if (!node) {
      counts.skipped += 1;
      console.log(`left out: ${name} on Node ${major}, which this machine does not have`);
      continue;
    }
    const esm = `for (const s of ${list}) await import(s)`;
    check(`${name}: ESM on Node ${major}`, node, ["--input-type=module", "-e", esm], folder);
    const cjs = `for (const s of ${list}) require(s)`;
    check(`${name}: CommonJS on Node ${major}`, node, ["--input-type=commonjs", "-e", cjs], folder);
  }
  const imports = JSON.parse(list).map(
    (s, i) => `import * as m${i} from ${JSON.stringify(s)};\nexport { m${i} };\n`,
  );
  for (const { file, ...options } of settings) {
    writeFileSync(join(folder, file), imports.join(""));
    const compilerOptions = {
      target: "es2022",
      lib: ["es2023", "dom"],
      strict: true,
      noEmit: true,
      types: [],
      ...options,
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [file] }));
    const title = `${name}: types, ${options.moduleResolution ?? options.module}, ${file}`;
    check(title, process.execPath, [tsc, "-p", folder], folder);
  }
}

const folder = mkdtempSync(join(tmpdir(), "qkv-alone-"));
try {
  const tarballs = packAll(folder);
  for (const [i, each] of publicPackages().entries()) {
    const alone = join(folder, String(i));
    mkdirSync(alone);
    useAlone(each, tarballs, alone);
  }
} finally {
  rmSync(folder, { recursive: true });
}
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
process.exitCode = counts.failed === 0 ? 0 : 1;
