import { DeviceError } from "@qkv/core";
import { relaxedSimd, simd } from "wasm-feature-detect";
import { abortable } from "./abortable.js";
import { makeDevice, type WasmDevice } from "./device.js";
import type { Engine, Exports } from "./engine.js";
import { wasmMemory } from "./memory.js";
import { checkOptions, type WasmOptions } from "./options.js";
import { withSharedMemory } from "./shared-memory-binary.js";
import type { Sources, WasmBuild } from "./sources.js";
import { singleThreadedEngine } from "./threads/single-threaded-engine.js";
import type { Pool } from "./threads/pool.js";
import { cores, whyNoThreads } from "./threads/thread-support.js";

/** Address of the heap: static data of the binary is below. */
const firstByte = 65536;

/** Opens a device with the kernels of `sources`. */
export async function open(
  fn: string,
  sources: Sources,
  userOptions: WasmOptions | undefined,
): Promise<WasmDevice> {
  const options = checkOptions(fn, userOptions);
  const build = await chooseBuild(fn, options.build);
  const requestedThreads = options.threads === "auto" ? cores() : options.threads;
  let whySingleThreaded = requestedThreads > 1 ? await whyNoThreads() : undefined;
  const shared = requestedThreads > 1 && whySingleThreaded === undefined;

  const binary = await sources.binary(build);
  const module = await compile(fn, shared ? withSharedMemory(binary) : binary);
  const memory = wasmMemory({ firstByte, maxBytes: options.maxBytes, shared });
  const instance = await WebAssembly.instantiate(module, { env: { memory: memory.memory } });
  const instanceExports = instance.exports as unknown as Exports;
  const { abortCallback } = options;
  const exports = abortCallback ? abortable(instanceExports, abortCallback) : instanceExports;

  let engine: Engine | Pool = singleThreadedEngine(exports, memory);
  if (shared) {
    const { startPool } = await import("./threads/pool.js");
    const { deadlineMs } = options;
    try {
      engine = await startPool({
        module,
        exports,
        memory,
        threads: requestedThreads,
        deadlineMs,
        workerUrl: sources.workerUrl,
      });
    } catch (error) {
      const { received } = error as DeviceError;
      whySingleThreaded = String(received);
    }
  }
  return makeDevice(engine, build, whySingleThreaded, options.readPattern);
}

async function chooseBuild(fn: string, requested: WasmBuild | "auto"): Promise<WasmBuild> {
  if (typeof WebAssembly === "undefined" || !(await simd())) {
    throw new DeviceError({
      fn,
      argument: "WebAssembly",
      received: "an engine without WebAssembly SIMD",
      expected: "Node 20 or newer, or a recent browser",
      fix: "use the plain device, `js()` of @qkv/tensor.",
    });
  }
  const hasRelaxed = await relaxedSimd();
  if (requested === "relaxed" && !hasRelaxed) {
    throw new DeviceError({
      fn,
      argument: "build",
      received: requested,
      expected: '"plain": this engine has no relaxed SIMD',
      fix: "leave `build` out, or use a newer engine (Node 22, Chrome 114).",
    });
  }
  return requested === "auto" ? (hasRelaxed ? "relaxed" : "plain") : requested;
}

async function compile(fn: string, binary: BufferSource): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(binary);
  } catch (cause) {
    throw new DeviceError({
      fn,
      argument: "binary",
      received: cause,
      expected: "kernels that this page may compile",
      fix: "allow 'wasm-unsafe-eval' in the `script-src` of the content security policy, or use the plain device, `js()` of @qkv/tensor.",
      cause,
    });
  }
}
