// A program may contain two copies of a package: its ESM and CJS builds, or two versions.
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type * as Tensors from "../packages/tensor/src/index.js";

const folder = new URL("../packages/tensor/", import.meta.url);
const require = createRequire(import.meta.url);
const other = new URL(".cache/other-version/", folder);

let esm: typeof Tensors;
let cjs: typeof Tensors;
let newer: typeof Tensors;

beforeAll(async () => {
  esm = await import(/* @vite-ignore */ new URL("dist/index.js", folder).href);
  cjs = require(fileURLToPath(new URL("dist/index.cjs", folder)));
  // The same package with another contract: the contract's stamp is the only difference.
  cpSync(new URL("dist/", folder), other, { recursive: true });
  const stamp = /("tensor\/Tensor"), 1, "([^"]+)"/;
  let stamped = 0;
  for (const name of readdirSync(other).filter((name) => name.endsWith(".cjs"))) {
    const code = readFileSync(new URL(name, other), "utf8");
    if (!stamp.test(code)) continue;
    stamped += 1;
    writeFileSync(new URL(name, other), code.replace(stamp, '$1, 2, "9.9.9"'));
  }
  expect(stamped).toBeGreaterThan(0); // old chunks of earlier builds, which nothing imports, have none
  newer = require(fileURLToPath(new URL("index.cjs", other)));
});
afterAll(() => rmSync(other, { recursive: true, force: true }));

test("tensors pass between the ESM and the CJS copy", () => {
  expect(cjs.Tensor).not.toBe(esm.Tensor);
  const [x, y] = [esm.tensor([1, 2]), cjs.tensor([10, 20])];
  expect([esm.isTensor(y), cjs.isTensor(x)]).toEqual([true, true]);
  expect(esm.add(x, y).toNested()).toEqual([11, 22]);
  expect(cjs.matmul(x, y).toNested()).toEqual(50);
  expect(
    esm
      .grad((z) => cjs.sum(cjs.mul(z, y)))(x)
      .toNested(),
  ).toEqual([10, 20]);
});

test("a tensor with another contract is refused, and the error names both versions", () => {
  const version = (JSON.parse(readFileSync(new URL("package.json", folder), "utf8")) as { version: string })
    .version;
  const message = `is "@qkv/tensor 9.9.9 (contract 2)", expected @qkv/tensor ${version} (contract 1)`;
  expect(() => esm.add(esm.tensor([1]), newer.tensor([1]))).toThrow(message);
  expect(() => esm.softmax(newer.tensor([1]))).toThrow(/npm ls @qkv\/tensor/);
});
