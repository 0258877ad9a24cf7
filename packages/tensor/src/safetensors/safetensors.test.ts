/// <reference types="node" />
import fc from "fast-check";
import { writeFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isQkvError, writeSafetensorsHeader, type SafetensorsDType } from "@qkv/core";
import { serveFiles } from "@qkv/test-support/file-server";
import { ones, tensor, zeros } from "../create.js";
import { permute } from "../ops/permute.js";
import type { DType } from "@qkv/core";
import { openSafetensors, readSafetensors } from "./read.js";
import { writeSafetensors } from "./write.js";
import { openServer, type LocalServer } from "../../../../scripts/server.mjs";

const dtypes: DType[] = ["float64", "float32", "float16", "bfloat16", "int32", "int8", "uint8", "bool"];

/** A file of one tensor of any stored type. */
const fileOf = (dtype: SafetensorsDType, shape: number[], data: ArrayBufferView): Uint8Array =>
  new Uint8Array([
    ...writeSafetensorsHeader([{ name: "x", dtype, shape }]),
    ...new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  ]);

test("property: tensors of all dtypes are read back bit for bit, at any byte offset", async () => {
  const one = fc.record({
    dtype: fc.constantFrom(...dtypes),
    shape: fc.array(fc.nat(3), { maxLength: 3 }),
    bytes: fc.uint8Array({ minLength: 27 * 8, maxLength: 27 * 8 }),
  });
  const names = fc.dictionary(
    fc.string({ unit: "grapheme" }).filter((name) => name !== "__metadata__" && name !== "__proto__"),
    one,
  );
  const metadata = fc.dictionary(
    fc.string().filter((key) => key !== "__proto__"),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(names, metadata, fc.nat(7), async (wanted, metadata, shift) => {
      const given = Object.entries(wanted).map(([name, { dtype, shape, bytes }]) => {
        const x = zeros(shape, { dtype });
        const raw = bytes.slice(0, x.data.byteLength).map((byte) => (dtype === "bool" ? byte % 2 : byte));
        new Uint8Array(x.data.buffer, x.data.byteOffset, x.data.byteLength).set(raw);
        return [name, x] as const;
      });
      const file = await writeSafetensors(Object.fromEntries(given), metadata);
      const moved = new Uint8Array(shift + file.length);
      moved.set(file, shift);
      const read = await readSafetensors(moved.subarray(shift));
      expect({ ...read.metadata }).toEqual({ ...metadata });
      expect(Object.keys(read.tensors).sort()).toEqual(given.map(([name]) => name).sort());
      for (const [name, x] of given) {
        const back = read.tensors[name]!;
        expect([back.dtype, back.shape]).toEqual([x.dtype, x.shape]);
        const bits = ({ data }: typeof x) => [
          ...new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
        ];
        expect(bits(back)).toEqual(bits(x));
      }
    }),
  );
});

test("each tensor is aligned in the file, views are written in row-major order, and nested names are joined with dots", async () => {
  const view = permute(
    tensor([
      [1, 2],
      [3, 4],
    ]),
    [1, 0],
  );
  const bytes = await writeSafetensors({
    flag: tensor([true]),
    layers: [{ w: view, half: ones([1], { dtype: "float16" }) }],
  });
  const file = await openSafetensors(bytes);
  expect(file.names).toEqual(["layers.0.w", "layers.0.half", "flag"]);
  expect(file.shape("layers.0.w")).toEqual([2, 2]);
  expect((await file.get("layers.0.w")).toNested()).toEqual([
    [1, 3],
    [2, 4],
  ]);
  await expect(writeSafetensors({ "a.b": ones([1]), a: { b: ones([1]) } })).rejects.toThrow(
    /`name` is "a.b"/,
  );
});

test("a Node Buffer is read, although it may be a view into a shared pool", async () => {
  const bytes = await writeSafetensors({ w: tensor([1, 2, 3]) });
  const pool = Buffer.concat([Buffer.alloc(24, 0xff), bytes]);
  const { tensors } = await readSafetensors(pool.subarray(24));
  expect(tensors.w!.toNested()).toEqual([1, 2, 3]);
  pool.fill(0);
  expect(tensors.w!.toNested()).toEqual([1, 2, 3]);
});

test("a tensor read from the caller's bytes does not change with them", async () => {
  const bytes = await writeSafetensors({ x: tensor([1, 2]) });
  const { tensors } = await readSafetensors(bytes);
  bytes.fill(0, bytes.length - 8);
  expect(tensors["x"]!.toNested()).toEqual([1, 2]);
});

test("other integer types are read as int32 if the numbers fit, and refused if not", async () => {
  const read = async (dtype: SafetensorsDType, data: ArrayBufferView & { length: number }) =>
    (await readSafetensors(fileOf(dtype, [data.length], data))).tensors["x"]!;
  const i64 = await read("I64", new BigInt64Array([-1n, 5n, -(2n ** 31n), 2n ** 31n - 1n]));
  expect([i64.dtype, i64.toNested()]).toEqual(["int32", [-1, 5, -(2 ** 31), 2 ** 31 - 1]]);
  expect((await read("U64", new BigUint64Array([7n]))).toNested()).toEqual([7]);
  expect((await read("U32", new Uint32Array([8]))).toNested()).toEqual([8]);
  expect((await read("I16", new Int16Array([-9]))).toNested()).toEqual([-9]);
  expect((await read("U16", new Uint16Array([65535]))).toNested()).toEqual([65535]);
  await expect(read("I64", new BigInt64Array([0n, 2n ** 31n]))).rejects.toThrow(
    /x\[1\]` is 2147483648, expected an integer that int32 holds, as I64 is read as int32.\nFix: store it as F64/,
  );
  await expect(read("I64", new BigInt64Array([-(2n ** 40n)]))).rejects.toThrow(/int32/);
  await expect(read("U64", new BigUint64Array([2n ** 64n - 1n]))).rejects.toThrow(/int32/);
  await expect(read("U32", new Uint32Array([2 ** 31]))).rejects.toThrow(/int32/);
  await expect(read("F8_E4M3", new Uint8Array([1]))).rejects.toThrow(
    /: x` is "F8_E4M3".*\nFix: convert the file/,
  );
  expect((await read("BOOL", new Uint8Array([0, 1, 7]))).toNested()).toEqual([false, true, true]);
});

test("a malicious header is refused before its tensors are read", async () => {
  const asked: [number, number][] = [];
  const watch = (bytes: Uint8Array) => ({
    size: bytes.length,
    read(start: number, end: number) {
      asked.push([start, end]);
      return bytes.subarray(start, end);
    },
  });
  const good = await writeSafetensors({ x: tensor([1, 2]) });
  const huge = good.slice();
  new DataView(huge.buffer).setBigUint64(0, 2n ** 62n, true);
  await expect(openSafetensors(watch(huge))).rejects.toThrow(/header length/);
  const long = good.slice();
  new DataView(long.buffer).setBigUint64(0, BigInt(good.length), true);
  await expect(openSafetensors(watch(long))).rejects.toThrow(/header length` is "\d+ bytes"/);
  const wide = new TextEncoder().encode(new TextDecoder().decode(good).replace('"shape":[2]', '"shape":[9]'));
  await expect(openSafetensors(watch(wide))).rejects.toThrow(/x: data_offsets/);
  await expect(openSafetensors(watch(good.subarray(0, 5)))).rejects.toThrow(/header length/);
  await expect(openSafetensors(watch(good.subarray(0, -1)))).rejects.toThrow(
    /data` is "7 bytes", expected 8/,
  );
  expect(Math.max(...asked.map(([, end]) => end))).toBeLessThanOrEqual(good.length);
});

test.each(Object.entries({ readSafetensors, openSafetensors }))(
  "errors of %s name it, whatever is wrong with the file",
  async (name, read) => {
    const good = await writeSafetensors({ x: tensor([1, 2]) });
    const json = (text: string) =>
      Uint8Array.from([text.length, 0, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode(text)]);
    const files: Uint8Array[] = [new Uint8Array(3), good.subarray(0, 20), good.subarray(0, -1), json("[]")];
    files.push(json("{"), json('{"x":1}'), json('{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'));
    for (const file of files)
      await expect(read(file)).rejects.toMatchObject({ name: "FormatError", fn: name });
    await expect(read(null as never)).rejects.toMatchObject({ name: "ArgumentError", fn: name });
    for (const options of [null, "cpu", { devcie: 1 }, { device: "wasm" }])
      await expect(read(good, options as never)).rejects.toMatchObject({ name: "ArgumentError", fn: name });
  },
);

test("types without a dtype are refused, and the error names the function that opened the file", async () => {
  const file = fileOf("U32", [1], Uint8Array.of(255, 255, 255, 255));
  await expect(readSafetensors(file)).rejects.toMatchObject({ fn: "readSafetensors", argument: "x[0]" });
  const opened = await openSafetensors(file);
  await expect(opened.get("x")).rejects.toMatchObject({ fn: "openSafetensors", argument: "x[0]" });
  await expect(opened.get("y")).rejects.toMatchObject({ fn: "SafetensorsFile.get" });
  expect(() => opened.shape("y")).toThrow(expect.objectContaining({ fn: "SafetensorsFile.shape" }));
});

test("property: a file with any changed byte is read, or refused with an error of this package", async () => {
  const good = await writeSafetensors({ x: tensor([1, 2]), y: tensor([true]) }, { a: "b" });
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length - 1), fc.nat(255), async (at, byte) => {
      const changed = good.with(at, byte);
      const failure: unknown = await readSafetensors(changed).then(
        () => undefined,
        (error) => error,
      );
      if (failure !== undefined) expect(isQkvError(failure)).toBe(true);
    }),
  );
});

test("a source that returns other bytes than requested, and values that are not sources, are refused", async () => {
  const good = await writeSafetensors({ x: tensor([1, 2]) });
  const short = { size: good.length, read: (start: number, end: number) => good.slice(start, end - 1) };
  await expect(openSafetensors(short)).rejects.toThrow(
    /bytes 0 to 7` is "7 bytes", expected 8.\nFix: the file has changed/,
  );
  await expect(openSafetensors({} as Blob)).rejects.toThrow(
    /`source`.*expected bytes, a Blob, a URL, a path/,
  );
  const file = await openSafetensors(good);
  await expect(file.get("y")).rejects.toThrow(
    /`name` is "y", expected one of the 1 tensors.*\nFix: `names` lists them/,
  );
});

test("a Blob, an ArrayBuffer and a path in Node give the same tensors", async () => {
  const bytes = await writeSafetensors({ x: tensor([1, 2]) });
  const folder = await mkdtemp(join(tmpdir(), "qkv-safetensors-"));
  try {
    const path = join(folder, "x.safetensors");
    await writeFile(path, bytes);
    const sources = [
      new Blob([bytes as Uint8Array<ArrayBuffer>]),
      bytes.slice().buffer,
      path,
      new URL(`file://${path}`),
      `file://${path}`,
    ];
    for (const source of sources) {
      expect((await readSafetensors(source as string)).tensors["x"]!.toNested()).toEqual([1, 2]);
    }
    await expect(readSafetensors(join(folder, "none"))).rejects.toThrow(
      /does not exist.\nFix: check the path/,
    );
    await expect(readSafetensors(folder)).rejects.toThrow(/this one is a folder/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe("a file on a server", () => {
  let server: LocalServer;
  let file: Uint8Array;
  let address: string;
  const requests: string[] = [];
  beforeAll(async () => {
    file = await writeSafetensors({ big: ones([50_000]), small: tensor([3, 4]) });
    server = await openServer((request, response) => {
      requests.push(request.headers.range ?? "whole");
      const [, first, last] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "") ?? [];
      const kind = request.url!.slice(1);
      if (kind === "missing") return response.writeHead(404).end("no such file");
      if (kind === "hanging")
        return response.writeHead(206, { "content-range": "bytes 0-65535/1000000" }).flushHeaders();
      if (kind === "plain" || first === undefined) return response.writeHead(200).end(file);
      const end = Math.min(Number(last) + 1, file.length);
      // One that states a wrong size, and one that sends more bytes than requested.
      const total = kind === "changing" && Number(first) > 0 ? file.length + 1 : file.length;
      response.writeHead(206, { "content-range": `bytes ${first}-${end - 1}/${total}` });
      return response.end(file.subarray(Number(first), kind === "flooding" ? file.length : end));
    });
    address = `${server.origin}/`;
  });
  afterAll(() => server.close());

  test("a tensor is transferred as a range of bytes, and the header with one request", async () => {
    requests.length = 0;
    const open = await openSafetensors(`${address}good`);
    expect((await open.get("small")).toNested()).toEqual([3, 4]);
    expect(requests).toEqual(["bytes=0-65535", `bytes=${file.length - 8}-${file.length - 1}`]);
    expect((await open.get("big")).data.every((value) => value === 1)).toBe(true);
  });

  test("a file is read whole with one request, also from a server without ranges", async () => {
    requests.length = 0;
    expect((await readSafetensors(new URL(`${address}plain`))).tensors["small"]!.toNested()).toEqual([3, 4]);
    expect(requests).toEqual(["whole"]);
  });

  test("a server without ranges, or without the file, is refused with the fix", async () => {
    await expect(openSafetensors(`${address}plain`)).rejects.toThrow(
      /expected the range of bytes asked for.*answered 200.*\nFix: the server cannot give parts of a file: `readSafetensors\(url\)` reads it whole/,
    );
    await expect(openSafetensors(`${address}missing`)).rejects.toThrow(
      /answered 404 Not Found or with a page of its own.\nFix: check the address/,
    );
    await expect(readSafetensors(`${address}missing`)).rejects.toThrow(/answered 404/);
  });

  test("a file that changes between two requests, and a response with more bytes than requested, are refused", async () => {
    const open = await openSafetensors(`${address}changing`);
    await expect(open.get("small")).rejects.toThrow(/is "0 bytes", expected 8.\nFix: the file has changed/);
    await expect(openSafetensors(`${address}flooding`)).rejects.toThrow(
      /flooding: bytes 0 to 65535` is "more than 65536 bytes", expected 65536, as asked for/,
    );
  });

  test("an aborted signal stops reading, before and during the read", async () => {
    const reason = new Error("enough");
    await expect(openSafetensors(`${address}good`, { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
    await expect(openSafetensors(file, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const hanging = openSafetensors(`${address}hanging`, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 50);
    await expect(hanging).rejects.toBe(reason);
    const open = await openSafetensors(file);
    await expect(open.get("small", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

test("a server that stalls, never ends its response or sends more than stated is refused, by readSafetensors and openSafetensors", async () => {
  const server = await serveFiles({}, (request, response) => {
    if (request.url === "/silent") return true;
    const more = () => {
      while (!response.destroyed && response.write(new Uint8Array(2 ** 16)));
      if (!response.destroyed) response.once("drain", more);
    };
    if (request.url === "/endless-range") response.writeHead(206, { "Content-Range": "bytes 0-65535/70000" });
    more();
    return true;
  });
  try {
    for (const read of [readSafetensors, openSafetensors]) {
      await expect(read(`${server.site}/silent`, { idleTimeoutMs: 50 })).rejects.toThrow(
        new RegExp(
          `^${read.name}: \`source\` is "http.*silent", expected a server that answers, and it has been silent for 0.05 seconds`,
        ),
      );
    }
    await expect(readSafetensors(`${server.site}/endless`, { maxBytes: 1e6 })).rejects.toThrow(
      /at most 1000000 bytes/,
    );
    await expect(openSafetensors(`${server.site}/endless-range`)).rejects.toThrow(
      /expected 65536, as asked for/,
    );
  } finally {
    await server.close();
  }
});
