import { DeviceError } from "@qkv/core";
import type { CheckedOptions } from "./options.js";

/** Facts that an adapter tells of itself. */
export type AdapterInfo = {
  /** Vendor, architecture, device and description, as far as they are told. */
  readonly name: string;
  /** True if it is a program of the CPU: its times say nothing about GPUs. */
  readonly software: boolean;
};

/** A device of WebGPU, and the adapter that it came from. */
export type Opened = {
  readonly device: GPUDevice;
  readonly info: AdapterInfo;
  /** True if shaders may use subgroup operations. */
  readonly subgroups: boolean;
};

/**
 * Finds an adapter and opens a device of it, with room for large buffers.
 *
 * @throws {DeviceError} If there is no WebGPU, no adapter, the adapter gives no device, or it has no subgroups and the
 *   options ask for them.
 */
export async function openDevice(
  { subgroups: wanted, ...options }: CheckedOptions,
  fn = "webgpu",
): Promise<Opened> {
  const adapter = await adapterFor(fn, options);
  const request = wanted !== false && hasSubgroups(adapter);
  const { device, info } = await requestDevice(fn, adapter, request ? ["subgroups"] : []);
  const subgroups = request && (await compiles(device, subgroupText));
  if (wanted !== true || subgroups) return { device, info, subgroups };
  device.destroy();
  throw missing(
    fn,
    "subgroups",
    `true, and ${info.name} has none of ${fewestLanes} lanes or more that number themselves`,
    "an adapter with the feature `subgroups`, in an engine with `subgroup_id`",
    "leave `subgroups` out: the sums go through workgroup memory then.",
  );
}

/**
 * Opens a device of an adapter, with room for large buffers.
 *
 * @throws {DeviceError} If the adapter gives none.
 */
export async function requestDevice(
  fn: string,
  adapter: GPUAdapter,
  requiredFeatures: GPUFeatureName[] = [],
): Promise<Pick<Opened, "device" | "info">> {
  const info = describeAdapter(adapter);
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  try {
    const device = await adapter.requestDevice({
      label: "qkv",
      requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
      requiredFeatures,
    });
    return { device, info };
  } catch (error) {
    throw missing(
      fn,
      "adapter",
      `${info.name}, which gives no device${error instanceof Error ? `: ${error.message}` : ""}`,
      "an adapter that gives a device",
      "request a new adapter: each gives one device only. Else use @qkv/wasm.",
      error,
    );
  }
}

type Wanted = {
  readonly adapter?: GPUAdapter | undefined;
  readonly gpu?: GPU | undefined;
  readonly powerPreference: GPUPowerPreference;
};

/** The adapter of the program, or the one that its GPU gives. */
export async function adapterFor(fn: string, { adapter, gpu, powerPreference }: Wanted): Promise<GPUAdapter> {
  return adapter ?? (await findAdapter(fn, gpu ?? (await findGpu(fn)), powerPreference));
}

/** Lanes of a subgroup from which on a sum by subgroups takes fewer steps than one in workgroup memory. */
const fewestLanes = 8;

function hasSubgroups({ features, info }: GPUAdapter): boolean {
  return features.has("subgroups") && info.subgroupMinSize >= fewestLanes;
}

/** A subgroup's own number is a feature of the language, which an adapter does not tell of. */
const subgroupText = `enable subgroups;
@compute @workgroup_size(64)
fn main(@builtin(subgroup_id) id: u32, @builtin(num_subgroups) count: u32) { _ = subgroupAdd(id + count); }`;

async function compiles(device: GPUDevice, code: string): Promise<boolean> {
  device.pushErrorScope("validation");
  device.createShaderModule({ code });
  return (await device.popErrorScope()) === null;
}

async function findAdapter(fn: string, gpu: GPU, powerPreference: GPUPowerPreference): Promise<GPUAdapter> {
  const adapter = await gpu.requestAdapter({ powerPreference });
  if (adapter) return adapter;
  throw missing(
    fn,
    "adapter",
    "no adapter of WebGPU here",
    "a GPU whose driver the engine accepts",
    "use @qkv/wasm. In Chromium `chrome://gpu` tells why; on Linux in Node install a Vulkan driver.",
  );
}

/** The object that `create` returned: the process ends when it is collected, so it is held here. */
let nodeGpu: GPU | undefined;

async function findGpu(fn: string): Promise<GPU> {
  const here = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (here) return here;
  if (nodeGpu) return nodeGpu;
  if (typeof process === "object" && process.versions?.node) {
    // A name that bundlers leave alone: pages have `navigator.gpu`.
    const name = "webgpu";
    try {
      const { create } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as {
        create(flags: readonly string[]): GPU;
      };
      return (nodeGpu = create([]));
    } catch (error) {
      throw missing(
        fn,
        "gpu",
        "no `navigator.gpu`, and no npm package `webgpu`",
        "an engine with WebGPU",
        "`npm install webgpu`, or use @qkv/wasm.",
        error,
      );
    }
  }
  throw missing(
    fn,
    "gpu",
    "no `navigator.gpu`",
    "an engine with WebGPU, and a page of https or localhost",
    "use @qkv/wasm here.",
  );
}

declare const process: { versions?: { node?: string } } | undefined;

/** Facts that an adapter tells of itself. */
export function describeAdapter(adapter: GPUAdapter): AdapterInfo {
  const { vendor, architecture, device, description } = adapter.info;
  const name = [vendor, architecture, device, description].filter(Boolean).join(" ") || "an unnamed adapter";
  const software = /swiftshader|llvmpipe|lavapipe|software|basic render/i.test(name);
  return {
    name,
    software: software || (adapter.info as { isFallbackAdapter?: boolean }).isFallbackAdapter === true,
  };
}

function missing(
  fn: string,
  argument: string,
  received: string,
  expected: string,
  fix: string,
  cause?: unknown,
): DeviceError {
  return new DeviceError({ fn, argument, received, expected, fix, ...(cause ? { cause } : {}) });
}
