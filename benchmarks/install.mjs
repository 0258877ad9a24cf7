// Installs the measured packages: peers by the lockfile of this folder, and ours as users get them, packed. Skips what
// is up to date.
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installPacked } from "../scripts/install-packed.mjs";
import { packAll, pnpm } from "../scripts/pack.mjs";
import { publicPackages } from "../scripts/packages.mjs";

const here = fileURLToPath(new URL("./", import.meta.url));
const modules = join(here, "node_modules");
const cache = join(here, ".cache");
const packed = join(cache, "ours");

export async function install(log) {
  installPeers(log);
  installOurs(log);
}

/** Versions of our packages and of all peers. */
export function versions() {
  const { dependencies } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
  const ours = readdirSync(join(packed, "node_modules/@qkv")).map((name) => `@qkv/${name}`);
  const names = [...ours, ...Object.keys(dependencies)];
  return Object.fromEntries(
    names.map((name) => [
      name,
      JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8")).version,
    ]),
  );
}

function installPeers(log) {
  const lock = readFileSync(join(here, "pnpm-lock.yaml"), "utf8");
  const mark = join(modules, ".installed");
  if (existsSync(mark) && readFileSync(mark, "utf8") === lock) return;
  log("bench: installing peers, some 1 GB");
  pnpm(["install", "--frozen-lockfile", "--prefer-offline"], here);
  writeFileSync(mark, lock);
}

/** Installs our tarballs with npm in a folder of their own, and links it to where the suites resolve it. */
function installOurs(log) {
  const link = join(modules, "@qkv");
  const mark = join(packed, ".packed");
  const built = fingerprint(publicPackages());
  if (!existsSync(mark) || readFileSync(mark, "utf8") !== built) {
    log("bench: packing ours");
    mkdirSync(cache, { recursive: true });
    const folder = mkdtempSync(join(cache, "packing-"));
    mkdirSync(join(folder, "tarballs"));
    const tarballs = packAll(join(folder, "tarballs"));
    installPacked(folder, tarballs, [...tarballs.keys()], { offline: false });
    writeFileSync(join(folder, ".packed"), built);
    rmSync(packed, { recursive: true, force: true });
    renameSync(folder, packed);
  }
  rmSync(link, { force: true, recursive: true });
  symlinkSync(join(packed, "node_modules/@qkv"), link, "junction");
}

/** A hash of all built files. Dates would not do: a build from a cache may be older than the packed files. */
function fingerprint(packages) {
  const hash = createHash("sha256");
  for (const { folder } of packages) {
    const dist = join(folder, "dist");
    const built = existsSync(dist) ? readdirSync(dist, { recursive: true }).sort() : [];
    const paths = [join(folder, "package.json"), ...built.map((file) => join(dist, file))];
    for (const path of paths.filter((each) => statSync(each).isFile()))
      hash.update(path).update(readFileSync(path));
  }
  return hash.digest("hex");
}
