// What a registry would receive, checked before it does: publint, attw (do the types resolve, as ESM and as CJS?) and
// the size budget of each public package. Needs the packages built.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publicPackages } from "./packages.mjs";
import { packAll } from "./pack.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
let passed = 0;
let failed = 0;

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

const folder = mkdtempSync(join(tmpdir(), "qkv-pack-"));
try {
  const tarballs = packAll(folder);
  for (const { name, json } of publicPackages()) {
    const tarball = tarballs.get(name);
    // Files that are served, and have no types.
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
check("size budgets (.size-limit.json)", ["size-limit"]);

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
