// Checks the packed packages: publint, attw (types resolve as ESM and as CJS), a size budget for each entry point, no
// install scripts, licences of dependencies, and the API reports. Needs built packages.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { isSubpath } from "./api/entries.mjs";
import { publicPackages } from "./packages.mjs";
import { packAll } from "./pack.mjs";
import { sizesAlone } from "./sizes-alone.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
let passed = 0;
let failed = 0;

// Scripts that run when a user installs.
const installScripts = [
  "preinstall",
  "install",
  "postinstall",
  "prepublish",
  "preprepare",
  "prepare",
  "postprepare",
];
const licences = ["MIT", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0"];
/** True if a licence expression such as `(Apache-2.0 AND BSD-3-Clause)` only has allowed licences. */
const isKnown = (licence) =>
  licence
    .replace(/^\((.*)\)$/, "$1")
    .split(" AND ")
    .every((part) => licences.includes(part));

/** Budget of an operation imported alone: 3.6 kB, without the code that operations share in core. */
const mostBytesOfOp = 3750;
/** Names that include others: `vjp`, `tensor`, `stack`, and the code for batching rules. */
const mostBytesOf = { jvp: 4100, jacobian: 5500, vmap: 7700 };

function note(name, wrong) {
  if (wrong === undefined) passed += 1;
  else failed += 1;
  console.log(`${wrong === undefined ? "ok" : "failed"}: ${name}${wrong === undefined ? "" : `\n${wrong}`}`);
}

function check(name, command) {
  const { status, stdout, stderr, error } = spawnSync(command[0], command.slice(1), {
    cwd: root,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (status === 0) passed += 1;
  else failed += 1;
  console.log(`${status === 0 ? "ok" : "failed"}: ${name}`);
  if (status !== 0) console.log(`${stdout ?? ""}${stderr ?? ""}${error?.message ?? ""}`);
}

function problem(list, what) {
  return list.length === 0 ? undefined : `${list.join(", ")}: ${what}`;
}

/** Adds the licences of a package's dependencies, including indirect ones. */
function dependenciesOf(folder, { dependencies = {} }, found) {
  for (const name of Object.keys(dependencies)) {
    const at = placeOf(name, folder);
    const json = at && JSON.parse(readFileSync(join(at, "package.json"), "utf8"));
    if (found.has(name) || name.startsWith("@qkv/")) continue;
    found.set(name, json?.license ?? "none");
    if (json) dependenciesOf(at, json, found);
  }
}

/** The folder of a package, as Node resolves it from a folder. */
function placeOf(name, folder) {
  const at = join(folder, "node_modules", name);
  if (existsSync(at)) return realpathSync(at);
  const up = dirname(folder);
  return up === folder ? undefined : placeOf(name, up);
}

const folder = mkdtempSync(join(tmpdir(), "qkv-pack-"));
try {
  const tarballs = packAll(folder);
  for (const { name, json } of publicPackages()) {
    const tarball = tarballs.get(name);
    // Files to be served, without types.
    const files = Object.entries(json.exports ?? {}).flatMap(([entry, to]) =>
      typeof to === "string" && !to.endsWith(".json") ? [entry.slice("./".length)] : [],
    );
    check(`${name}: publint`, ["publint", "run", tarball, "--strict"]);
    check(`${name}: attw`, [
      "attw",
      tarball,
      "--profile",
      "node16",
      ...(files.length > 0 ? ["--exclude-entrypoints", ...files] : []),
    ]);
  }
} finally {
  rmSync(folder, { recursive: true });
}
const budgets = JSON.parse(readFileSync(join(root, ".size-limit.json"), "utf8")).map(({ path }) => path);
const runtime = new Map();
for (const { name, folder, json } of publicPackages()) {
  // A subpath of qkv is a re-export, which tests/qkv-package.test.ts checks: it is as large as the package's entry
  // point.
  const ownEntries = Object.values(json.exports ?? {}).filter((to) => !isSubpath(to));
  const built = ownEntries.flatMap((to) => to?.import?.default ?? []);
  const without = built
    .map((file) => relative(root, join(folder, file)).replaceAll("\\", "/"))
    .filter((file) => !budgets.includes(file));
  note(`${name}: each entry has a size budget`, problem(without, "no budget in .size-limit.json"));
  const scripts = installScripts.filter((script) => json.scripts?.[script]);
  note(`${name}: nothing runs at install`, problem(scripts, "runs when a user installs"));
  dependenciesOf(folder, json, runtime);
}
const strange = [...runtime].filter(([, licence]) => !isKnown(licence)).map((pair) => pair.join(": "));
note(
  `licences of ${runtime.size} runtime dependencies: ${[...runtime.keys()].join(", ")}`,
  problem(strange, "not known"),
);
const ops = await sizesAlone(join(root, "packages/tensor"), ["@qkv/core"]);
const large = ops
  .filter(({ name, bytes }) => bytes > (mostBytesOf[name] ?? mostBytesOfOp))
  .map(({ name, bytes }) => `${name} ${bytes}`);
note(
  `@qkv/tensor: each of ${ops.length} names alone, without core, up to ${mostBytesOfOp} bytes (${ops[0].name} has ${ops[0].bytes})`,
  problem(large, `over ${mostBytesOfOp} bytes`),
);
check("API reports", ["node", "scripts/api.mjs", "--check"]);
check("size budgets (.size-limit.json)", ["size-limit"]);

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
