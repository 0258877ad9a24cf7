import { DeviceError } from "@qkv/core";
import type { GpuDevice } from "./device.js";
import { makeDevice } from "./device.js";
import { loadGpuJs, type GpuJs } from "./gpujs.js";
import { checkOptions, type GpuMode, type GpuOptions } from "./options.js";
import { openContext, describeRenderer } from "./renderer.js";
import { selfTest } from "./self-test.js";
import { scalarKernels } from "./scalar/kernels.js";
import { WebAssemblyEngine } from "./webasm/web-assembly.js";
import { shaderKernels } from "./webgl2/kernels.js";
import { Shaders } from "./webgl2/shaders.js";

/**
 * Creates a device on gpu.js, a peer dependency that is loaded by this call. Operations return at once;
 * `await tensor.read()` waits for numbers. Operations without a kernel here read their inputs back and run the plain kernel;
 * `device.report()` counts them.
 *
 * Mode `webgl2` runs shaders, in a page or a worker. Mode `webasm` runs gpu.js's own WebAssembly, anywhere; it needs no GPU
 * and is no faster than `@qkv/wasm`. `auto` selects `webgl2` on a hardware renderer, otherwise `webasm`.
 * For WebGPU there is `webgpu()` of `@qkv/webgpu`.
 *
 * Inside `device.scope(() => …)` intermediate tensors stay on the GPU until its end. Outside, results stay there under a
 * budget. Parameters are moved once, with `tensor.to(device)`.
 *
 * @throws {ArgumentError} If an option is none of those that it takes; of gpu.js's modes `webgl` and `cpu` are refused.
 * @throws {DeviceError} If gpu.js or the mode is missing, or the self-test gives wrong numbers. Later, from a call or
 *   a read: the context was lost, memory ran out, a tensor is too large for a texture, a shader does not compile.
 *
 * @example
 * ```ts
 * import { matmul, tensor } from "@qkv/tensor";
 * import { gpu } from "@qkv/gpu";
 *
 * const device = await gpu({ mode: "webasm" });
 * const x = tensor([[1, 2], [3, 4]]).to(device);
 * await matmul(x, x).read(); // => [7, 10, 15, 22]
 * device.report().mode; // => "webasm"
 * ```
 */
export async function gpu(options?: GpuOptions): Promise<GpuDevice> {
  const checked = checkOptions(options);
  const GPU = await loadGpuJs();
  const { mode, why } = chooseMode(GPU, checked.mode);
  const { device, setSelfTestError } = opens[mode](GPU, why, checked);
  setSelfTestError(await selfTest(device));
  return device;
}

const opens = { webgl2: onShaders, webasm: onWebAssembly };

function onShaders(GPU: GpuJs, why: string, options: Required<GpuOptions>) {
  const gl = openContext();
  if (!gl) throw missing("webgl2", "no WebGL2 context could be created");
  const shaders = new Shaders(GPU, gl, options.maxTextureSize);
  const { name, software } = describeRenderer(gl);
  return makeDevice(
    {
      engine: shaders,
      kernels: (store) => shaderKernels({ shaders, store }),
      about: {
        mode: "webgl2",
        why,
        renderer: name,
        software,
        limits: { maxTextureSize: shaders.maxTextureSize },
      },
      textures: () => shaders.textures,
    },
    options,
  );
}

function onWebAssembly(GPU: GpuJs, why: string, options: Required<GpuOptions>) {
  const engine = new WebAssemblyEngine(GPU);
  return makeDevice(
    {
      engine,
      kernels: (store) => scalarKernels({ engine, store }),
      about: {
        mode: "webasm",
        why,
        renderer: undefined,
        software: true,
        limits: { maxTextureSize: undefined },
      },
      textures: () => undefined,
    },
    options,
  );
}

function chooseMode(GPU: GpuJs, requested: GpuMode | "auto"): { mode: GpuMode; why: string } {
  if (requested === "webasm" && !GPU.isWebAssemblySupported) throw missing("webasm", "no WebAssembly here");
  if (requested === "webgl2" && !GPU.isWebGL2Supported) throw missing("webgl2", "no WebGL2 here");
  if (requested !== "auto") return { mode: requested, why: "requested" };
  if (!GPU.isWebGL2Supported) return { mode: "webasm", why: "there is no WebGL2" };
  const probe = openContext();
  const renderer = probe && describeRenderer(probe);
  probe?.getExtension("WEBGL_lose_context")?.loseContext();
  if (renderer && !renderer.software) return { mode: "webgl2", why: `the renderer is ${renderer.name}` };
  return { mode: "webasm", why: `the renderer is software: ${renderer?.name ?? "unknown"}` };
}

function missing(mode: GpuMode, received: string): DeviceError {
  return new DeviceError({
    fn: "gpu",
    argument: "mode",
    received,
    expected: `an engine with ${needs[mode]}`,
    fix:
      mode === "webasm"
        ? "use `js()` of @qkv/tensor."
        : 'use `gpu({ mode: "webasm" })`, or @qkv/wasm, which is faster.',
  });
}

const needs = { webgl2: "WebGL2 and float textures", webasm: "WebAssembly" };
