// Packs every public package into packed/NAME.tgz, so that npm installs any of them in another folder while none is
// published: the dependencies of each tarball on its siblings are paths to their tarballs. Needs built packages.
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { packAll } from "./pack.mjs";

/**
 * @param {string} folder - Created if it does not exist. `NAME` is written to `folder/NAME.tgz`.
 * @param {Map<string, string>} tarballs - All packages, as `packAll` returns them.
 */
export function packLinked(folder, tarballs) {
  for (const [name, tarball] of tarballs) {
    const path = tarballOf(folder, name);
    const work = mkdtempSync(join(tmpdir(), "qkv-unpacked-"));
    try {
      tar("-xzf", tarball, work);
      // npm resolves a relative path from the folder of the tarball in which it stands.
      linkDependencies(join(work, "package"), tarballs, (sibling) =>
        relative(dirname(path), tarballOf(folder, sibling)).replace(/^(?!\.)/, "./"),
      );
      // A project is created anywhere.
      for (const template of templatesOf(join(work, "package"))) {
        linkDependencies(template, tarballs, (sibling) => resolve(tarballOf(folder, sibling)));
      }
      mkdirSync(dirname(path), { recursive: true });
      tar("-czf", path, work, "package");
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
}

const tarballOf = (folder, name) => join(folder, `${name}.tgz`);

/** Runs `tar`, with paths relative to its folder: GNU's takes the colon of `C:` for a host. */
function tar(mode, archive, cwd, ...files) {
  execFileSync("tar", [mode, relative(cwd, archive).replaceAll("\\", "/"), ...files], { cwd });
}

/** Replaces the versions of siblings in a folder's package.json by paths. */
function linkDependencies(folder, siblings, pathOf) {
  const file = join(folder, "package.json");
  const json = JSON.parse(readFileSync(file, "utf8"));
  for (const name of Object.keys(json.dependencies ?? {})) {
    if (siblings.has(name)) json.dependencies[name] = `file:${pathOf(name).replaceAll("\\", "/")}`;
  }
  writeFileSync(file, `${JSON.stringify(json, null, 2)}\n`);
}

/** The projects in a package that it copies, as `create-qkv` does. */
function templatesOf(unpacked) {
  const folder = join(unpacked, "dist", "templates");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((template) => existsSync(join(template, "package.json")));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = fileURLToPath(new URL("../packed/", import.meta.url));
  const work = mkdtempSync(join(tmpdir(), "qkv-pack-"));
  try {
    const tarballs = packAll(work);
    rmSync(folder, { recursive: true, force: true });
    packLinked(folder, tarballs);
    for (const name of tarballs.keys()) console.log(`packed/${name}.tgz`);
    const qkv = tarballOf(folder, "qkv").replaceAll("\\", "/");
    console.log(`\nTo install one in the project of another folder:\nnpm install "${qkv}"`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
