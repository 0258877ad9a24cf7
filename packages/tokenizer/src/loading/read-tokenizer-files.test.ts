import { serveFiles, type FileServer } from "@qkv/test-support/file-server";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadTokenizer } from "./load-tokenizer.js";
import { readTokenizerFiles } from "./read-tokenizer-files.js";

const json = JSON.stringify({
  model: { type: "WordLevel", vocab: { hi: 0, "[UNK]": 1 }, unk_token: "[UNK]" },
  pre_tokenizer: { type: "Whitespace" },
});
const files: Record<string, string> = {
  "model/tokenizer.json": json,
  "model/tokenizer_config.json": "{}",
  "model/vocab.txt": "[UNK]\nho",
  "model/model.safetensors": "weights",
  "gpt2/vocab.json": JSON.stringify({ h: 0, i: 1, hi: 2 }),
  "gpt2/merges.txt": "#version: 0.2\nh i\n",
  "weights/config.json": "{}",
  "weights/tokenizer_config.json": "{}",
};
const posix = process.platform !== "win32";
let root: string;
let server: FileServer;
const at = (name: string) => join(root, name);
const write = (name: string, text: string) => {
  mkdirSync(join(at(name), ".."), { recursive: true });
  writeFileSync(at(name), text);
};

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "qkv-tokenizer-"));
  for (const [name, text] of Object.entries(files)) write(name, text);
  mkdirSync(at("empty"));
  const utf8 = new TextEncoder();
  server = await serveFiles(
    Object.fromEntries(Object.entries(files).map(([name, text]) => [`/${name}`, utf8.encode(text)])),
  );
});
afterAll(async () => {
  rmSync(root, { recursive: true });
  await server.close();
});

const ids = async (source: string | URL | readonly File[], text: string) =>
  Array.from((await loadTokenizer(source as string)).encode(text));

test("a folder, a file, and their file URLs are read", async () => {
  expect(await ids(at("model"), "hi ho")).toEqual([0, 1]);
  expect(await ids(`${at("model")}/`, "hi ho")).toEqual([0, 1]);
  expect(await ids(pathToFileURL(at("model")), "hi ho")).toEqual([0, 1]);
  expect(await ids(pathToFileURL(at("model")).href, "hi ho")).toEqual([0, 1]);
  expect(await ids(at("model/vocab.txt"), "ho")).toEqual([1]);
  expect(await ids(at("gpt2"), "hi")).toEqual([2]);
  expect(await ids(at("gpt2/merges.txt"), "hi")).toEqual([2]);
});

test("`File` objects are matched by their names, with the files that belong to them; a single one may have any name", async () => {
  const file = (path: string, name = path.replace(/^.*\//, "")) => new File([readFileSync(at(path))], name);
  expect(await ids([file("model/vocab.txt"), new File(["{}"], "config.json")], "hi ho")).toEqual([0, 1]);
  expect(await ids([file("gpt2/vocab.json"), file("gpt2/merges.txt")], "hi")).toEqual([2]);
  await expect(
    loadTokenizer([new File(["{}"], "config.json"), new File([""], "a.safetensors")]),
  ).rejects.toThrow(
    /^loadTokenizer: `source` is "2 files", expected a folder with a tokenizer.*\nFix: it holds config.json, a.safetensors/s,
  );
  await expect(loadTokenizer([])).rejects.toThrow(/\nFix: the folder is empty/);
  await expect(loadTokenizer(["vocab.txt"] as never)).rejects.toThrow(/a list of files/);
  await expect(readTokenizerFiles([file("model/vocab.txt")], { maxBytes: 2 })).rejects.toThrow(
    /at most 2 bytes/,
  );
});

test("a folder on a server is read, and a single file of it with its related files", async () => {
  expect(await ids(`${server.site}/model`, "hi ho")).toEqual([0, 1]);
  expect(await ids(`${server.site}/model/`, "hi ho")).toEqual([0, 1]);
  expect(await ids(`${server.site}/gpt2/`, "hi")).toEqual([2]);
  expect(await ids(`${server.site}/gpt2/vocab.json`, "hi")).toEqual([2]);
  expect(await ids(`${server.site}/model/vocab.txt`, "ho")).toEqual([1]);
  await expect(loadTokenizer(`${server.site}/weights/`)).rejects.toThrow(
    /loadTokenizer: `source` is "http.*expected a folder with tokenizer\.json.*the server has none\.\nFix: .*resolve\/main/s,
  );
});

test("weights and other tokenizers of a folder are not read if it has a tokenizer.json", async () => {
  expect(Object.keys(await readTokenizerFiles(at("model"))).sort()).toEqual([
    "tokenizer.json",
    "tokenizer_config.json",
  ]);
});

test.runIf(posix)("links of the hub's cache are followed, those out of a folder are not", async () => {
  write("hub/models--owner--tiny/blobs/one", json);
  mkdirSync(at("hub/models--owner--tiny/snapshots/abc"), { recursive: true });
  symlinkSync("../../blobs/one", at("hub/models--owner--tiny/snapshots/abc/tokenizer.json"));
  expect(await ids(at("hub/models--owner--tiny/snapshots/abc"), "hi")).toEqual([0]);
  mkdirSync(at("linked"));
  symlinkSync("../model/tokenizer.json", at("linked/tokenizer.json"));
  await expect(loadTokenizer(at("linked"))).rejects.toThrow(/it is a link to .*\nFix: links out of/s);
});

test("errors name the path and the files of the folder", async () => {
  await expect(loadTokenizer(at("weights"))).rejects.toThrow(
    /loadTokenizer: `source` is ".*weights", expected a folder with a tokenizer: tokenizer\.json.*\nFix: it holds .*config\.json/s,
  );
  await expect(loadTokenizer(at("empty"))).rejects.toThrow(/\nFix: the folder is empty/);
  await expect(loadTokenizer(at("gone"))).rejects.toThrow(
    /expected a folder or a file that exists\.\nFix: check the path/,
  );
  await expect(loadTokenizer("owner/name")).rejects.toThrow(
    /\nFix: for a repository of the hub, `load\("owner\/name"\)`/,
  );
  await expect(readTokenizerFiles(at("gone"))).rejects.toThrow(/^readTokenizerFiles: `source`/);
  await expect(readTokenizerFiles(at("model"), { maxBytes: 10 })).rejects.toThrow(/at most 10 bytes/);
  await expect(readTokenizerFiles(3 as never)).rejects.toThrow(/`source` is 3, expected a folder or a file/);
});

test("an error names the damaged file", async () => {
  write("damaged/tokenizer.json", json.slice(0, 20));
  await expect(loadTokenizer(at("damaged"))).rejects.toThrow(/tokenizer\.json/);
});
