// A folder of reference data. Files are stored unchanged or packed under the same name with an ending
// (`torch/sdpa.json.gz`); callers read both the same way. Weights are packed as `.planes.gz`: byte 0 of all 4-byte
// elements, then byte 1 and so on, gzipped. Bytes of exponents, which compress well, are adjacent that way.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";

/**
 * Opens a folder of reference data. Names are relative to it, with slashes.
 *
 * @param {string} folder
 * @returns {import("./data-folder.mjs").DataFolder}
 */
export function dataFolder(folder) {
  const plain = (name) => (name === "" ? folder : join(folder, name));
  const endingOf = (name) => ["", ...endings].find((ending) => existsSync(plain(name) + ending));
  const has = (name) => endingOf(name) !== undefined;

  function bytes(name) {
    const ending = endingOf(name);
    if (ending === undefined) throw new Error(missing(folder, name));
    const stored = new Uint8Array(readFileSync(plain(name) + ending));
    if (ending === "") return stored;
    const unpacked = new Uint8Array(gunzipSync(stored));
    return ending === planes ? joinPlanes(unpacked) : unpacked;
  }
  const text = (name) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes(name));

  function entries(name) {
    return existsSync(plain(name)) ? readdirSync(plain(name), { withFileTypes: true }) : [];
  }
  function names(name = "", ending = "") {
    const all = entries(name).map((entry) => (entry.isDirectory() ? entry.name : unpackedName(entry.name)));
    return [...new Set(all)].filter((each) => each.endsWith(ending)).sort();
  }
  function folders(name = "") {
    const all = entries(name).filter((entry) => entry.isDirectory());
    return all.map((entry) => entry.name).sort();
  }
  function files(name = "") {
    const inside = (each) => (name === "" ? each : `${name}/${each}`);
    const below = folders(name).flatMap((each) => files(inside(each)));
    const inFolders = new Set(folders(name));
    const here = names(name).filter((each) => !inFolders.has(each));
    return [...here.map(inside), ...below].sort();
  }
  // A folder with packed weights is unpacked into a cache, since loaders open files by their paths.
  function path(name) {
    if (!existsSync(plain(name))) throw new Error(missing(folder, name));
    if (!folders(dirname(name)).includes(basename(name))) return plain(name);
    const inside = entries(name).filter((entry) => !entry.isDirectory());
    return inside.some((entry) => packedWeights.test(entry.name)) ? unpackedFolder(name) : plain(name);
  }
  function unpackedFolder(name) {
    const cache = join(folder, "..", "node_modules", ".cache", "reference-data");
    for (const each of files(name)) {
      const path = join(cache, each);
      const content = bytes(each);
      if (existsSync(path) && equalBytes(readFileSync(path), content)) continue;
      mkdirSync(dirname(path), { recursive: true });
      // Tests run in parallel: a file is written under another name, then renamed.
      const partial = `${path}.${process.pid}`;
      writeFileSync(partial, content);
      renameSync(partial, path);
    }
    return join(cache, name);
  }

  return { folder, has, bytes, text, json: (name) => JSON.parse(text(name)), names, folders, files, path };
}

const planes = ".planes.gz";
const packedWeights = /\.safetensors(\.planes)?\.gz$/;
/** Endings of packed files, longest first. */
const endings = [planes, ".gz"];

function unpackedName(name) {
  const ending = endings.find((one) => name.endsWith(one));
  return ending === undefined ? name : name.slice(0, -ending.length);
}

/** Bytes in order, from the four planes. */
function joinPlanes(stored) {
  const bytes = new Uint8Array(stored.length);
  for (let plane = 0, from = 0; plane < 4; plane++)
    for (let at = plane; at < bytes.length; at += 4) bytes[at] = stored[from++];
  return bytes;
}

const equalBytes = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

const missing = (folder, name) =>
  `reference data: \`${name}\` is not in ${folder}.\n` +
  (existsSync(folder)
    ? "Fix: restore it (git restore conformance/data), or let QKV_DATA name a folder that holds it, or none."
    : "Fix: there is no such folder; let QKV_DATA name one that exists, or unset it to use conformance/data.");
