import { decoder } from "@qkv/transformer";
import { exportModel } from "@qkv/transformer/export";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../run.js";

let root: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "qkv-lens-"));
  const config = {
    ...{ vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 4, numKvHeads: 2 },
    ...{ contextLength: 32, normEps: 1e-5, stopIds: [] },
  };
  const model = { config, params: decoder(config).init(1) };
  await exportModel(model, { to: "onnx", opset: 17, inlineBytes: 100, out: join(root, "model") });
});
afterAll(() => rmSync(root, { recursive: true }));

async function qkv(...args: string[]) {
  let [out, err] = ["", ""];
  const status = await run(args, {
    out: { write: (text) => (out += text) },
    err: { write: (text) => (err += text) },
    color: false,
  });
  return { status, out, err };
}

test("maps are listed and written, and external data files are copied", async () => {
  const model = join(root, "model/onnx/model.onnx");
  const listed = await qkv("lens", "onnx", model);
  expect(listed).toMatchObject({ status: 0, err: "" });
  expect(listed.out).toMatch(
    /^attentions\.0 {2}\[.*, 4, .*\] {2}exposed: Softmax value\.\d+\nattentions\.1 /,
  );
  const nowhere = await qkv("lens", "onnx", model, "--out", join(root, "none/with-maps.onnx"));
  expect(nowhere.err).toMatch(
    /^qkv: `--out` is ".*", expected .* is in a folder that does not exist\.\nFix: /,
  );

  mkdirSync(join(root, "elsewhere"));
  const out = join(root, "elsewhere/with-maps.onnx");
  const written = await qkv("lens", "onnx", model, "--out", out, "--name", "maps", "--json");
  expect(written).toMatchObject({ status: 0, err: "" });
  const result = JSON.parse(written.out) as { maps: { name: string; how: string; shape: unknown[] }[] };
  expect(result).toMatchObject({ out, skipped: [], externalData: ["model.onnx_data"] });
  expect(result.maps.map(({ name, how }) => [name, how])).toEqual([
    ["maps.0", "exposed"],
    ["maps.1", "exposed"],
  ]);
  expect(readFileSync(out).length).toBeGreaterThan(readFileSync(model).length);
  expect(readFileSync(join(root, "elsewhere/model.onnx_data"))).toEqual(
    readFileSync(join(root, "model/onnx/model.onnx_data")),
  );
});

test("a model writes nothing but its own files of weights, and replaces none", async () => {
  const model = readFileSync(join(root, "model/onnx/model.onnx"), "latin1");
  const name = "model.onnx_data";
  const evil = join(root, "evil");
  mkdirSync(evil);
  writeFileSync(join(root, "secret"), "secret");
  // Names of the same length, so that the message stays a message.
  const naming = (other: string) => {
    const file = join(evil, "model.onnx");
    writeFileSync(file, Buffer.from(model.replaceAll(name, other.padEnd(name.length, "x")), "latin1"));
    return file;
  };
  let number = 0;
  const target = () => {
    const folder = join(root, `target-${number++}`);
    mkdirSync(folder);
    return folder;
  };
  for (const other of [".bashrc", "../secret", "/tmp/secret", "a/b", "with-maps.onnx"]) {
    const location = other.padEnd(name.length, "x");
    const folder = target();
    if (!other.includes("/")) writeFileSync(join(evil, location), "weights");
    const written = await qkv("lens", "onnx", naming(other), "--out", join(folder, "with-maps.onnxx"));
    expect(written.err).toMatch(/^qkv lens onnx: `model` is ".*", expected names of files beside the model/);
    expect(readdirSync(folder)).toEqual([]);
  }
  const original = join(root, "model/onnx/model.onnx");
  const replaced = target();
  writeFileSync(join(replaced, name), "kept");
  const kept = await qkv("lens", "onnx", original, "--out", join(replaced, "with-maps.onnx"));
  expect(kept.err).toMatch(/`--out` is ".*model\.onnx_data", expected a file that does not exist yet/);
  expect([readdirSync(replaced), readFileSync(join(replaced, name), "utf8")]).toEqual([[name], "kept"]);
  const forced = await qkv("lens", "onnx", original, "--out", join(replaced, "with-maps.onnx"), "--force");
  expect(forced.status).toBe(0);
  expect(readFileSync(join(replaced, name))).toEqual(readFileSync(join(root, "model/onnx", name)));

  const linked = target();
  rmSync(join(linked, name), { force: true });
  symlinkSync(join(root, "secret"), join(linked, name));
  const through = await qkv("lens", "onnx", original, "--out", join(linked, "with-maps.onnx"), "--force");
  expect(through.err).toMatch(/expected a place that holds no link/);
  expect(readFileSync(join(root, "secret"), "utf8")).toBe("secret");
  const empty = target();
  const missing = await qkv("lens", "onnx", naming("absent"), "--out", join(empty, "with-maps.onnx"));
  expect(missing.err).toMatch(/`model` is ".*absentxxxxxxxxx", expected a file of its weights/);
  expect(readdirSync(empty)).toEqual([]);
  symlinkSync(join(root, "secret"), join(evil, name));
  writeFileSync(join(evil, "model.onnx"), Buffer.from(model, "latin1"));
  const read = await qkv("lens", "onnx", join(evil, "model.onnx"), "--out", join(target(), "with-maps.onnx"));
  expect(read.err).toMatch(/expected a file beside the model, and no link/);
});

test("the explorer is served with a model on localhost only, until the signal aborts", async () => {
  const folder = join(root, "served");
  mkdirSync(folder);
  writeFileSync(join(folder, "config.json"), "{}");
  writeFileSync(join(folder, "model.gguf"), "0123456789");
  const get = (address: string, headers = {}) => fetch(address, { headers });
  const served = async (model: string, look: (address: string) => Promise<void>) => {
    const stop = new AbortController();
    let looked: Promise<void> | undefined;
    const status = await run(["lens", model, "--no-open"], {
      out: {
        write(text) {
          looked = look(text.trim()).finally(() => stop.abort());
        },
      },
      err: { write: () => undefined },
      color: false,
      signal: stop.signal,
    });
    await looked;
    expect(status).toBe(0);
  };
  await served(folder, async (address) => {
    expect(await (await get(`${address}model.json`)).json()).toEqual({ name: folder, file: "model/" });
    const file = await get(`${address}model/model.gguf`, { range: "bytes=2-4" });
    expect([file.status, await file.text()]).toEqual([206, "234"]);
    expect(file.headers.get("cross-origin-opener-policy")).toBe("same-origin");
    expect((await get(`${address}model/none`)).status).toBe(404);
    expect((await get(`${address}model/../../package.json`)).status).toBe(404);
    const { port } = new URL(address);
    const status = (options: { path?: string; headers?: { host: string } }) =>
      new Promise<number | undefined>((done, fail) =>
        request({ port, host: "127.0.0.1", ...options }, (response) => {
          response.resume();
          done(response.statusCode);
        })
          .on("error", fail)
          .end(),
      );
    expect(await status({ headers: { host: "example.com" } })).toBe(403);
    expect(await status({ headers: { host: "127.0.0.1:x" } })).toBe(400);
    expect(await status({ path: "//" })).toBeLessThan(500);
  });
  await served(join(folder, "model.gguf"), async (address) => {
    const { file } = (await (await get(`${address}model.json`)).json()) as { file: string };
    expect(file).toBe("model/model.gguf");
    expect(await (await get(address + file)).text()).toBe("0123456789");
    expect((await get(`${address}model/config.json`)).status).toBe(404); // beside it
  });
  await served("@qkv/model-tiny", async (address) => {
    expect((await get(`${address}model/config.json`)).status).toBe(200);
    expect((await get(`${address}model/tokenizer.json`)).status).toBe(200);
  });
});

test("a missing model and an invalid port are refused", async () => {
  expect((await qkv("lens", join(root, "none"), "--no-open")).err).toMatch(/does not exist/);
  expect((await qkv("lens", "--port", "x")).err).toMatch(/`--port` is "x"/);
});

test("the model is not overwritten, and a file that is not a model is refused", async () => {
  const model = join(root, "model/onnx/model.onnx");
  const same = await qkv("lens", "onnx", model, "--out", model);
  expect(same.status).toBe(1);
  expect(same.err).toMatch(/`--out` is .*expected another file than the model.*\nFix: name a new file/);
  const data = await qkv("lens", "onnx", join(root, "model/onnx/model.onnx_data"), "--out", join(root, "a"));
  expect(data.status).toBe(1);
  expect(data.err).toMatch(/Fix: /);
  expect(existsSync(join(root, "a"))).toBe(false);
  const missing = await qkv("lens", "onnx", join(root, "none.onnx"));
  expect(missing.err).toMatch(/does not exist/);
});
