// A folder of reference data: files as they were, or gzipped beside their name (`torch/sdpa.json.gz`). Both are read alike,
// so that a name never says how a file is stored.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/**
 * Opens a folder of reference data. Names are relative to it, with slashes.
 *
 * @param {string} folder
 * @returns {import("./data-folder.mjs").DataFolder}
 */
export function dataFolder(folder) {
  const plain = (name) => (name === "" ? folder : join(folder, name));
  const packed = (name) => `${plain(name)}.gz`;
  const has = (name) => existsSync(plain(name)) || existsSync(packed(name));

  function bytes(name) {
    if (existsSync(plain(name))) return new Uint8Array(readFileSync(plain(name)));
    if (existsSync(packed(name))) return new Uint8Array(gunzipSync(readFileSync(packed(name))));
    throw new Error(missing(folder, name));
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
  function path(name) {
    if (existsSync(plain(name))) return plain(name);
    throw new Error(missing(folder, name));
  }

  return { folder, has, bytes, text, json: (name) => JSON.parse(text(name)), names, folders, files, path };
}

const unpackedName = (name) => (name.endsWith(".gz") ? name.slice(0, -".gz".length) : name);

const missing = (folder, name) =>
  `reference data: \`${name}\` is not in ${folder}.\n` +
  (existsSync(folder)
    ? "Fix: restore it (git restore conformance/data), or let QKV_DATA name a folder that holds it, or none."
    : "Fix: there is no such folder; let QKV_DATA name one that exists, or unset it to use conformance/data.");
