import { loadTokenizer } from "@qkv/tokenizer";
import { decoder, load } from "@qkv/transformer";
import { exportModel } from "@qkv/transformer/export";
import { createHash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { openServer } from "../../../scripts/server.mjs";
import { downloadModel } from "./cached-model.js";
import { run } from "./run.js";

const posix = process.platform !== "win32";
const signal = new AbortController().signal;
const commit = "0123456789abcdef0123456789abcdef01234567";
const [sha256, git] = [
  (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex"),
  (bytes: Uint8Array) => createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex"),
];
let root: string;
let model: string;
let cache: string;
let hub: { origin: string; close(): Promise<void> };
let requests: string[] = [];
/** Changes to the bytes that the server gives. */
let damage: (bytes: Buffer) => Buffer = (bytes) => bytes;

/** Name of a file's content on the hub. */
const contentTag = (name: string) => {
  const bytes = readFileSync(join(model, name));
  return name.endsWith(".safetensors") ? sha256(bytes) : git(bytes);
};

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "qkv-hub-repository-"));
  model = join(root, "model");
  const config = {
    ...{ vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1 },
    ...{ contextLength: 32, normEps: 1e-5, stopIds: [] },
  };
  await exportModel({ config, params: decoder(config).init(1) }, { to: "hf", out: model });
  writeFileSync(join(model, "vocab.txt"), "[UNK]\nhello");
  hub = await openServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const name = basename(request.url!);
    if (!readdirSync(model).includes(name)) return void response.writeHead(404).end();
    const bytes = readFileSync(join(model, name));
    response.setHeader("X-Repo-Commit", commit);
    response.setHeader("ETag", `"${contentTag(name)}"`);
    if (name.endsWith(".safetensors")) response.setHeader("X-Linked-Etag", `"${contentTag(name)}"`);
    response.setHeader("Content-Length", bytes.length);
    response.end(request.method === "HEAD" ? undefined : damage(bytes));
  });
});
afterAll(async () => {
  await hub.close();
  rmSync(root, { recursive: true });
});
beforeEach(() => {
  cache = mkdtempSync(join(root, "cache-"));
  [requests, damage] = [[], (bytes) => bytes];
});
afterEach(() => vi.unstubAllEnvs());

const options = () => ({ signal, folder: cache, hub: hub.origin });

test.runIf(posix)("a repository is cached in the layout of Python's huggingface_hub", async () => {
  const path = await downloadModel("owner/tiny", options());
  const home = join(cache, "models--owner--tiny");
  expect(path).toBe(join(home, "snapshots", commit));
  expect(readdirSync(home).sort()).toEqual([".no_exist", "blobs", "refs", "snapshots"]);
  expect(readFileSync(join(home, "refs/main"), "utf8")).toBe(commit);
  const names = readdirSync(path).sort();
  expect(names).toEqual(["config.json", "generation_config.json", "model.safetensors", "vocab.txt"]);
  for (const name of names) {
    expect(readlinkSync(join(path, name))).toBe(`../../blobs/${contentTag(name)}`);
    expect(readFileSync(join(path, name))).toEqual(readFileSync(join(model, name)));
  }
  expect(readdirSync(join(home, ".no_exist", commit))).toContain("tokenizer.json");
  // By its name, from the cache alone.
  vi.stubEnv("HF_HUB_CACHE", cache);
  vi.stubEnv("HF_HUB_OFFLINE", "1");
  expect((await load("owner/tiny")).config.embedDim).toBe(8);
  expect((await loadTokenizer(path)).vocabSize).toBe(2);
  const before = requests.length;
  expect(await downloadModel("owner/tiny", options())).toBe(path);
  vi.stubEnv("HF_HUB_OFFLINE", "");
  expect(await downloadModel("owner/tiny", options())).toBe(path);
  expect(requests.length).toBe(before);
});

test.runIf(posix)(
  "a model downloaded by Python is found, and only its missing files are requested",
  async () => {
    const home = join(cache, "models--owner--tiny");
    const snapshot = join(home, "snapshots", commit);
    for (const folder of [join(home, "blobs"), join(home, "refs"), snapshot])
      mkdirSync(folder, { recursive: true });
    writeFileSync(join(home, "refs/main"), commit);
    for (const name of ["config.json", "model.safetensors"]) {
      cpSync(join(model, name), join(home, "blobs", contentTag(name)));
      symlinkSync(`../../blobs/${contentTag(name)}`, join(snapshot, name));
    }
    // Without an answer, the files on disk are used.
    expect(await downloadModel("owner/tiny", { ...options(), hub: "http://127.0.0.1:9" })).toBe(snapshot);
    expect(readdirSync(snapshot).sort()).toEqual(["config.json", "model.safetensors"]);
    expect(await downloadModel("owner/tiny", options())).toBe(snapshot);
    expect(readdirSync(snapshot)).toContain("vocab.txt");
    expect(requests.filter((request) => /model\.safetensors$|\/config\.json$/.test(request))).toEqual([]);
    expect(requests).toContain(`HEAD /owner/tiny/resolve/${commit}/tokenizer_config.json`);
  },
);

test("a file that is damaged in transit is refused, and not cached", async () => {
  damage = (bytes) => {
    const other = Buffer.from(bytes);
    other[other.length - 1]! ^= 1;
    return other;
  };
  await expect(downloadModel("owner/tiny", options())).rejects.toThrow(
    /`model` is "owner\/tiny: config\.json", expected a file whose git-sha1 is [0-9a-f]{40}, as the hub states, and another came/,
  );
  expect(readdirSync(join(cache, "models--owner--tiny/blobs"))).toEqual([]);
});

test("offline, a model that is not cached is refused with the fix", async () => {
  vi.stubEnv("HF_HUB_OFFLINE", "1");
  await expect(downloadModel("owner/none", options())).rejects.toThrow(
    /`model` is "owner\/none", expected a model in .*as HF_HUB_OFFLINE requires.*\nFix: download it once without HF_HUB_OFFLINE/s,
  );
  expect(requests).toEqual([]);
});

test.runIf(posix)("verify lists the files whose content differs from the hub's checksum", async () => {
  const path = await downloadModel("owner/tiny", options());
  vi.stubEnv("QKV_CACHE", cache);
  const verify = async (model: string) => {
    let [out, err] = ["", ""];
    const io = {
      out: { write: (text: string) => (out += text) },
      err: { write: (text: string) => (err += text) },
    };
    return { code: await run(["verify", model], { ...io, color: false }), out, err };
  };
  const intact = await verify("owner/tiny");
  expect(intact).toMatchObject({ code: 0, err: "" });
  expect(intact.out).toMatch(
    /^intact +\d+ {2}config\.json\nintact +\d+ {2}generation_config\.json\nintact +\d+ {2}model\.safetensors\nintact +\d+ {2}vocab\.txt\n$/,
  );
  const bytes = readFileSync(join(path, "model.safetensors"));
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(join(path, "model.safetensors"), bytes);
  const damaged = await verify(path);
  expect(damaged.code).toBe(1);
  expect(damaged.err).toMatch(/`model` is "model\.safetensors \(damaged\)", expected files whose checksums/);
  rmSync(join(cache, "models--owner--tiny/blobs", contentTag("config.json")));
  expect((await verify("owner/tiny")).err).toMatch(
    /config\.json \(missing\), model\.safetensors \(damaged\)/,
  );
  expect((await verify("owner/none")).err).toBe(
    `qkv: \`model\` is "owner/none", expected a downloaded model, and the hub's cache, ${cache}, has none of this name.\nFix: check the name, or download it first: \`qkv inspect owner/none\`.\n`,
  );
  expect((await verify("./none/here")).err).toMatch(/Fix: there is no folder \.\/none; check the path/);
});
