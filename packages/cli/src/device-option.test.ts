import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { openDevice } from "./device-option.js";

const folder = mkdtempSync(join(tmpdir(), "qkv-cli-device-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("auto reports its device and the reason, and stores the choice in the cache folder", async () => {
  vi.stubEnv("QKV_CACHE", folder);
  const written: string[] = [];
  const err = { write: (text: string) => written.push(text) };
  const best = await openDevice("auto", err);
  expect(written.join("")).toMatch(/^device: (wasm|webgpu)\S*, since .+\n$/);
  const named = written[0]!.match(/^device: ([^ ]+), since/)![1]!;
  expect(best.name.split(",")[0]).toBe(named);
  await openDevice("auto", err);
  // One device alone is nothing to remember.
  expect(readdirSync(folder).filter((file) => file !== "device.json")).toEqual([]);
  vi.unstubAllEnvs();
});

test("gpu.js opens in Node by the name of its mode, and an unavailable mode fails with the reason", async () => {
  const device = await openDevice("gpu:webasm", { write: () => true });
  expect(device.report()).toMatchObject({ mode: "webasm" });
  await expect(openDevice("gpu:webgl2", { write: () => true })).rejects.toThrow(
    /^gpu: `mode` is "no WebGL2 here"/,
  );
});

test("an unknown device is refused with the valid names", async () => {
  await expect(openDevice("cuda", { write: () => true })).rejects.toThrow(
    /^qkv: `--device` is "cuda", expected a device: js, wasm.*, webgpu, gpu:webasm, auto\.\nFix: /,
  );
});
