import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { DataFolder } from "../data-folder.mjs";

/**
 * For tests: a temporary data folder with these files, removed after the test. Values other than text or bytes are
 * written as JSON.
 */
export function scratchData(files: Record<string, unknown>): string {
  const dataDir = mkdtempSync(join(tmpdir(), "qkv-conformance-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dataDir, path)), { recursive: true });
    const raw = typeof content === "string" || content instanceof Uint8Array;
    writeFileSync(join(dataDir, path), raw ? content : JSON.stringify(content));
  }
  return dataDir;
}

/** For tests: the files below a folder of the data, unpacked, by path. */
export function filesBelow(data: DataFolder, folder: string): Record<string, Uint8Array> {
  return Object.fromEntries(data.files(folder).map((name) => [name, data.bytes(name)]));
}

/** For tests: a tensor in the data's JSON format. */
export const tensorJson = (name: string, shape: number[], values: number[]) => ({
  name,
  dtype: "float32",
  shape,
  data: Buffer.from(new Float32Array(values).buffer).toString("base64"),
});

/** For tests: a case of MatMul, correct if `product` is 11. */
export const matMulCase = (name: string, product = 11) => ({
  name,
  op: "MatMul",
  domain: "ai.onnx",
  opset: 13,
  attributes: {},
  nodeInputs: ["left", "right"],
  nodeOutputs: ["product"],
  inputs: [tensorJson("left", [2], [1, 2]), tensorJson("right", [2, 1], [3, 4])],
  outputs: [tensorJson("product", [1], [product])],
});
