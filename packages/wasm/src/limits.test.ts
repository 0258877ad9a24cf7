import { expect, test, vi } from "vitest";
import { arithmeticModule, copyModule, readModule } from "./limit-module.js";
import { arithmeticLoop, copyLoop, perSecond, readLoop } from "./limits.js";

async function exported(bytes: Uint8Array<ArrayBuffer>, memory = new WebAssembly.Memory({ initial: 1 })) {
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
  return instance.exports.run as (...numbers: number[]) => number;
}

test.each(["mulAdd", "fused"] as const)(
  "%s: each of the twelve accumulators becomes x · factor + addend",
  async (name) => {
    const run = await exported(arithmeticModule(name));
    let [a, times] = [Array.from({ length: 12 }, (_, i) => i + 1), 5];
    while (times--) a = a.map((x) => x * 0.999 + 2 ** -7);
    expect(run(5)).toBeCloseTo(
      a.reduce((x, y) => x + y),
      3,
    );
  },
);

test("dot: sums of four products of bytes are added to an int32", async () => {
  const run = await exported(arithmeticModule("dot"));
  const bits = (value: number) => new Int32Array(new Float32Array([value]).buffer)[0]!;
  // The bytes of 2 ** -7 are 0, 0, 0 and 60; the last byte of the float 0.999 is 63.
  const sum = Array.from({ length: 12 }, (_, i) => bits(i + 1) + 5 * 63 * 60).reduce((a, b) => (a + b) | 0);
  expect(bits(run(5))).toBe(sum);
});

/** Memory in which float i has the value i. */
function countingMemory() {
  const memory = new WebAssembly.Memory({ initial: 1 });
  new Float32Array(memory.buffer).forEach((_, i, all) => (all[i] = i));
  return memory;
}
const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);

test("a read loop sums lane 0 of each vector", async () => {
  const run = await exported(readModule(), countingMemory());
  const lanes = Array.from({ length: 16 }, (_, i) => 4 * i); // lane 0 of 16 vectors
  expect(run(0, 256, 256, 1, 256)).toBe(sum(lanes));
});

test.each([
  [1, 128],
  [2, 256],
  [3, 128],
  [8, 128],
])(
  "%i streams in blocks of %i bytes are each read once, without the gaps between them",
  async (streams, block) => {
    const [part, gap] = [512, 128];
    const run = await exported(readModule(), countingMemory());
    // The gaps between streams belong to none of them.
    const numbers = Array.from({ length: streams }, (_, stream) =>
      Array.from({ length: part / 16 }, (_, i) => (stream * (part + gap)) / 4 + 4 * i),
    );
    expect(run(0, part, part + gap, streams, block)).toBe(sum(numbers.flat()));
  },
);

test("streams are read in rotation, a block of each", async () => {
  // Sums of float32 depend on the order: after 2 ** 24 a single 1 is lost, before it it is not.
  const memory = new WebAssembly.Memory({ initial: 1 });
  const floats = new Float32Array(memory.buffer);
  const at = { first: 0, second: 32, third: 64, fourth: 96 }; // blocks of 128 bytes
  floats[at.first] = 1;
  floats[at.third] = 2 ** 24;
  floats[at.second] = -(2 ** 24);
  floats[at.fourth] = 0;
  const run = await exported(readModule(), memory);
  expect(run(0, 256, 256, 1, 128)).toBe(1 - 2 ** 24); // first, second
  expect(run(0, 512, 512, 1, 128)).toBe(1); // 1 - 2 ** 24 + 2 ** 24
  expect(run(0, 256, 256, 2, 128)).toBe(0); // first, third (the 1 is lost), second, fourth
});

test("a copy loop copies every byte and writes no other", async () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const bytes = new Uint8Array(memory.buffer);
  bytes.subarray(0, 256).forEach((_, i, all) => (all[i] = i));
  (await exported(copyModule(), memory))(0, 256, 256);
  expect(bytes.slice(256, 512)).toEqual(bytes.slice(0, 256));
  expect(bytes.slice(512).every((byte) => byte === 0)).toBe(true);
});

test("`work` is the number of operations or bytes of a run", async () => {
  expect((await arithmeticLoop("mulAdd"))?.work).toBe(100_000 * 12 * 4 * 2);
  expect((await arithmeticLoop("dot"))?.work).toBe(100_000 * 12 * 16 * 2);
  expect((await readLoop(1024)).work).toBe(1024);
  expect((await readLoop(2048, { streams: 4, block: 256 })).work).toBe(2048);
  expect((await copyLoop(1024)).work).toBe(2048);
});

test("`perSecond` is the work divided by the shortest time", () => {
  let now = 0;
  const durations = [30, 6, 60];
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const loop = { work: 12, run: () => void (now += durations.shift() ?? 60) };
  expect(perSecond(loop, 90)).toBe(12 / 0.006);
  vi.restoreAllMocks();
});

test("invalid arguments are refused", async () => {
  await expect(arithmeticLoop("plus" as "dot")).rejects.toThrow(
    'arithmeticLoop: `arithmetic` is "plus", expected "mulAdd", "fused" or "dot".\nFix: `mulAdd` runs',
  );
  await expect(readLoop(100)).rejects.toThrow(
    "readLoop: `bytes` is 100, expected a multiple of 128 from 128 to 2 ** 30.\nFix: 2 ** 20 is a megabyte.",
  );
  await expect(readLoop(4096, { streams: 0 })).rejects.toThrow(
    "readLoop: `streams` is 0, expected an integer, 1",
  );
  await expect(readLoop(4096, { streams: 2, block: 64 })).rejects.toThrow(
    "readLoop: `block` is 64, expected a multiple of 128 bytes.",
  );
  await expect(readLoop(4096, { streams: 8 })).rejects.toThrow(
    "readLoop: `bytes` is 4096, expected a multiple of streams * block = 8192.",
  );
  await expect(readLoop(4096, { stream: 8 } as object)).rejects.toThrow(/readLoop: .*stream/);
  await expect(copyLoop(0)).rejects.toThrow(/copyLoop: `bytes` is 0, expected/);
  vi.stubGlobal("WebAssembly", undefined);
  await expect(readLoop(1024)).rejects.toThrow(
    /readLoop: `WebAssembly` is "an engine without WebAssembly SIMD"/,
  );
  vi.unstubAllGlobals();
});
