import { randn, softmax } from "@qkv/tensor";
import { expect, test } from "vitest";
import { wasm } from "./wasm.js";
import { bundled } from "./sources.js";
import { wasmFrom, type WasmUrls } from "./urls.js";

const dataUrl = async (build: "plain" | "relaxed") => {
  const binary = await bundled.binary(build);
  return `data:application/wasm;base64,${btoa(Array.from(binary, (byte) => String.fromCharCode(byte)).join(""))}`;
};

test("kernels from URLs compute the same as the bundled ones", async () => {
  const urls: WasmUrls = { plain: await dataUrl("plain"), relaxed: await dataUrl("relaxed") };
  const device = await wasmFrom(urls, { threads: 2, build: "plain" });
  expect(device.name).toBe("wasm,threads=2,plain");
  const x = randn([50, 50], { seed: 1 });
  expect(softmax(x.to(device)).data).toEqual(softmax(x.to(await wasm({ build: "plain" }))).data);
  await device.close();
});

test("a URL that cannot be fetched throws an error with the fix", async () => {
  const urls = { plain: "data:nonsense", relaxed: "data:nonsense" };
  await expect(wasmFrom(urls, { build: "plain" })).rejects.toThrow(
    /^wasmFrom: `urls\.plain` is "data:nonsense", expected an address that @qkv\/wasm\/plain\.wasm can be fetched from\.\nFix: copy/,
  );
});

test("a file that is not a binary of the kernels is refused", async () => {
  const urls = { plain: "data:text/html,<html>", relaxed: "data:text/html,<html>" };
  await expect(wasmFrom(urls)).rejects.toThrow(/`binary` is/);
});
