import { decoder } from "@qkv/transformer";
import { exportModel } from "@qkv/transformer/export";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
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

test("maps are listed, written, and the weights beside the model go along", async () => {
  const model = join(root, "model/onnx/model.onnx");
  const listed = await qkv("lens", "onnx", model);
  expect(listed).toMatchObject({ status: 0, err: "" });
  expect(listed.out).toMatch(
    /^attentions\.0 {2}\[.*, 4, .*\] {2}exposed: Softmax value\.\d+\nattentions\.1 /,
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

test("the model is not written over, and what is no model is refused", async () => {
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
