import { add, matmul, ones, randn, softmax, sum, tensor, zeros, type Tensor } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import { afterEach, describe, expect, test, vi } from "vitest";
import { agreeOnRead } from "@qkv/test-support/agreement";
import type { GpuDevice } from "./device.js";
import { gpu } from "./gpu.js";
import type { GpuOptions } from "./options.js";

const devices: GpuDevice[] = [];
afterEach(() => {
  for (const device of devices.splice(0)) device.close();
  vi.restoreAllMocks();
});

/** A device of mode webgl2, and its WebGL context. */
async function opened(options: GpuOptions = {}) {
  const getContext = vi.spyOn(OffscreenCanvas.prototype, "getContext");
  const device = await gpu({ mode: "webgl2", ...options });
  devices.push(device);
  const contexts = getContext.mock.results.map(({ value }) => value as WebGL2RenderingContext);
  return { device, gl: contexts.filter((each) => each instanceof WebGL2RenderingContext).at(-1)! };
}

describe("a lost context is an error, never zeros", () => {
  test("in a read, sync and async, and in the next call", async () => {
    const { device, gl } = await opened();
    const x = randn([8, 8], { seed: 1 }).to(device);
    const y = matmul(x, x);
    gl.getExtension("WEBGL_lose_context")!.loseContext();
    expect(() => y.data).toThrow(/matmul: .*the WebGL context was lost.*\nFix: make a new device/s);
    await expect(y.read()).rejects.toMatchObject({ name: "DeviceError", fn: "matmul" });
    expect(() => matmul(x, x)).toThrow(/the WebGL context was lost/);
  });

  test("in a read that is pending", async () => {
    const { device, gl } = await opened();
    const x = randn([512, 512], { seed: 1 }).to(device);
    const reading = matmul(x, x).read();
    gl.getExtension("WEBGL_lose_context")!.loseContext();
    await expect(reading).rejects.toMatchObject({ name: "DeviceError" });
  });

  test("with `fallback`, numbers that the host has are computed on the plain device, and reported", async () => {
    const { device, gl } = await opened({ fallback: true });
    const x = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { device },
    );
    gl.getExtension("WEBGL_lose_context")!.loseContext();
    expect(matmul(x, x).toNested()).toEqual([
      [7, 10],
      [15, 22],
    ]);
    expect(device.report().fallbacks[0]).toMatchObject({ op: "matmul", reason: /context was lost/ });
  });
});

test("after running out of memory, the next read throws", async () => {
  const { device, gl } = await opened();
  const y = add(ones([4], { device }), 1);
  vi.spyOn(gl, "getError").mockReturnValueOnce(gl.OUT_OF_MEMORY);
  expect(() => y.data).toThrow(/ran out of memory.*\nFix: work inside of `device\.scope/s);
});

test("a tensor that is too large for a texture throws, or is computed on the plain device", async () => {
  const { device } = await opened({ maxTextureSize: 16 });
  expect(() => add(zeros([40, 40], { device }), randn([40, 40], { seed: 1, device }))).toThrow(
    /1600 numbers, and this adapter takes/,
  );
  const other = await opened({ maxTextureSize: 16, fallback: true });
  const x = randn([40, 40], { seed: 1 });
  expect(await matmul(x.to(other.device), x.to(other.device)).read()).toBeAllclose(matmul(x, x).data, {
    rtol: 0,
    atol: 1e-6,
    scaled: true,
    equalNan: true,
  });
  expect(other.device.report().fallbacks.map(({ op }) => op)).toContain("matmul");
});

test("a shader that does not compile throws an error with the reason", async () => {
  const { device, gl } = await opened();
  const shaderSource = gl.shaderSource.bind(gl);
  vi.spyOn(gl, "shaderSource").mockImplementation((shader, text) =>
    shaderSource(shader, text.includes("vec4 compute") ? `${text}\nbroken` : text),
  );
  const x = randn([3, 21], { seed: 1, device });
  expect(() => softmax(x)).toThrow(/the shader of softmaxLines was refused.*\nFix: please report/s);
});

test("loops of more than 1000 iterations are not truncated", async () => {
  const { device } = await opened();
  await agreeOnRead(device, (x) => sum(x), [ones([5000])], { ops: ["sum"], tolerance: 0 });
  await agreeOnRead(device, (a) => matmul(a, ones([5000, 1], { device: a.device })), [ones([1, 5000])], {
    ops: ["matmul"],
    tolerance: 0,
  });
});

describe("textures are freed", () => {
  test("at the end of a scope", async () => {
    const { device } = await opened();
    const x = randn([16, 16], { seed: 1 }).to(device);
    const step = () => device.scope(() => void softmax(matmul(add(x, x), x)));
    step();
    const { textures, bytes } = device.memory();
    for (let i = 0; i < 100; i++) step();
    expect(device.memory()).toMatchObject({ textures, bytes });
  });

  test("outside of scopes beyond the budget, after their numbers were read back", async () => {
    const { device } = await opened({ budgetBytes: 2 ** 18 });
    const x = randn([64, 64], { seed: 1 }).to(device);
    const kept: Tensor[] = [];
    for (let i = 0; i < 100; i++) kept.push(add(x, i)); // 16 KiB each
    expect(device.memory().bytes).toBeLessThan(2 ** 18 + 3 * 2 ** 15);
    kept.forEach((y, i) => expect(y.data[5]).toBeCloseTo(x.data[5]! + i, 4));
  });

  test("with the compiled kernels that are evicted, except for results in use", async () => {
    const { device } = await opened();
    const first = matmul(ones([3, 3], { device }), ones([3, 3], { device }));
    for (let n = 1; n <= 120; n++) device.scope(() => void softmax(ones([2, n], { device })));
    expect([...first.data]).toEqual(new Array(9).fill(3));
    expect(device.memory().idleBytes).toBeLessThan(2 ** 24);
  });
});

test("numbers that the host changes in place are uploaded again", async () => {
  const { device } = await opened();
  const x = zeros([4], { device });
  const y = add(x, 1);
  expect([...(await y.read())]).toEqual([1, 1, 1, 1]);
  (x.device.array(x.storage) as Float32Array)[2] = 5;
  expect([...add(x, 1).data]).toEqual([1, 1, 6, 1]);
});
