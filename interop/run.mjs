// npm run interop [CASE]: hands over to other engines and back. Each case is a module in cases/ that exports `run`, which
// throws where something does not hold.
//
// Engines are installed by the lockfile of this folder, and ours as a user gets it, packed; both outside the workspace.
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installPacked } from "../scripts/install-packed.mjs";
import { packAll, pnpm } from "../scripts/pack.mjs";

const here = fileURLToPath(new URL("./", import.meta.url));
const modules = join(here, "node_modules");

installEngines();
installOurs();

const [wanted] = process.argv.slice(2);
const cases = readdirSync(join(here, "cases")).map((file) => file.replace(".mjs", ""));
if (wanted !== undefined && !cases.includes(wanted)) {
  console.error(`interop: there is no case "${wanted}".\nFix: name one of ${cases.join(", ")}.`);
  process.exit(1);
}
let [passed, failed] = [0, 0];
for (const name of wanted === undefined ? cases : [wanted]) {
  try {
    const { run } = await import(`./cases/${name}.mjs`);
    await run();
    passed += 1;
    console.log(`ok: ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`failed: ${name}\n${error.stack}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function installEngines() {
  const lock = readFileSync(join(here, "pnpm-lock.yaml"), "utf8");
  const mark = join(modules, ".installed");
  if (existsSync(mark) && readFileSync(mark, "utf8") === lock) return;
  console.error("interop: installing engines, some 600 MB");
  pnpm(["install", "--frozen-lockfile", "--prefer-offline"], here);
  writeFileSync(mark, lock);
}

/** Ours lies in a folder of its own, as npm installs the tarballs, and is linked to where the cases look for it. */
function installOurs() {
  console.error("interop: packing ours");
  const folder = join(here, ".cache/ours");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "tarballs"), { recursive: true });
  const tarballs = packAll(join(folder, "tarballs"));
  const wanted = [
    "@qkv/attention",
    "@qkv/core",
    "@qkv/kv-cache",
    "@qkv/model-tiny",
    "@qkv/tensor",
    "@qkv/transformer",
    "qkv",
  ];
  installPacked(folder, tarballs, wanted, { offline: false });
  const link = join(modules, "@qkv");
  rmSync(link, { force: true, recursive: true });
  symlinkSync(join(folder, "node_modules/@qkv"), link, "junction");
}
