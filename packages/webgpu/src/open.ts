import { DeviceError } from "@qkv/core";
import type { CheckedOptions } from "./options.js";

/** Description of an adapter. */
export type AdapterInfo = {
  /** Vendor, architecture, device and description, as far as the engine reports them. */
  readonly name: string;
  /** True if it is software on the CPU: its times say nothing about GPUs. */
  readonly software: boolean;
};

/** An opened `GPUDevice`, and its adapter. */
export type Opened = {
  readonly device: GPUDevice;
  readonly info: AdapterInfo;
  /** True if shaders may use subgroup operations. */
  readonly subgroups: boolean;
};

/**
 * Finds an adapter and opens a device with the adapter's largest buffer sizes.
 *
 * @throws {DeviceError} If there is no WebGPU or no adapter, if the adapter gives no device, or if the options require
 *   subgroups and it has none.
 */
export async function openDevice(
  { subgroups: requested, ...options }: CheckedOptions,
  fn = "webgpu",
): Promise<Opened> {
  const adapter = await adapterFor(fn, options);
  const requestsSubgroups = requested !== false && hasSubgroups(adapter);
  const { device, info } = await requestDevice(fn, adapter, requestsSubgroups ? ["subgroups"] : []);
  const subgroups = requestsSubgroups && (await compiles(device, subgroupText));
  if (requested !== true || subgroups) return { device, info, subgroups };
  device.destroy();
  throw unavailable(
    fn,
    "subgroups",
    `true, and ${info.name} has none of ${minLanes} lanes or more that number themselves`,
    "an adapter with the feature `subgroups`, in an engine with `subgroup_id`",
    "leave `subgroups` out: the sums go through workgroup memory then.",
  );
}

/**
 * Opens a device of an adapter, with the adapter's largest buffer sizes.
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
    throw unavailable(
      fn,
      "adapter",
      `${info.name}, which gives no device${error instanceof Error ? `: ${error.message}` : ""}`,
      "an adapter that gives a device",
      "request a new adapter: each gives one device only. Else use @qkv/wasm.",
      error,
    );
  }
}

type AdapterRequest = {
  readonly adapter?: GPUAdapter | undefined;
  readonly gpu?: GPU | undefined;
  readonly powerPreference: GPUPowerPreference;
};

/** The given adapter, or the one that `gpu` selects. */
export async function adapterFor(
  fn: string,
  { adapter, gpu, powerPreference }: AdapterRequest,
): Promise<GPUAdapter> {
  return adapter ?? (await findAdapter(fn, gpu ?? (await findGpu(fn)), powerPreference));
}

/** Smallest subgroup for which subgroup sums need fewer steps than sums in workgroup memory. */
const minLanes = 8;

function hasSubgroups({ features, info }: GPUAdapter): boolean {
  return features.has("subgroups") && info.subgroupMinSize >= minLanes;
}

/** A shader with `subgroup_id`, a language feature that adapters do not report: it is compiled as a test. */
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
  throw unavailable(
    fn,
    "adapter",
    "no adapter of WebGPU here",
    "a GPU whose driver the engine accepts",
    "use @qkv/wasm. In Chromium `chrome://gpu` tells why; on Linux in Node install a Vulkan driver.",
  );
}

/** The object that `create` returned. The process would end if it were garbage-collected. */
let nodeGpu: GPU | undefined;

async function findGpu(fn: string): Promise<GPU> {
  const browserGpu = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (browserGpu) return browserGpu;
  if (nodeGpu) return nodeGpu;
  if (typeof process === "object" && process.versions?.node) {
    // A variable, so that bundlers do not resolve the import: pages have `navigator.gpu`.
    const name = "webgpu";
    try {
      const { create } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as {
        create(flags: readonly string[]): GPU;
      };
      return (nodeGpu = create([]));
    } catch (error) {
      throw unavailable(
        fn,
        "gpu",
        "no `navigator.gpu`, and no npm package `webgpu`",
        "an engine with WebGPU",
        "`npm install webgpu`, or use @qkv/wasm.",
        error,
      );
    }
  }
  throw unavailable(
    fn,
    "gpu",
    "no `navigator.gpu`",
    "an engine with WebGPU, and a page of https or localhost",
    "use @qkv/wasm here.",
  );
}

declare const process: { versions?: { node?: string } } | undefined;

/** Describes an adapter. */
export function describeAdapter(adapter: GPUAdapter): AdapterInfo {
  const { vendor, architecture, device, description } = adapter.info;
  const name = [vendor, architecture, device, description].filter(Boolean).join(" ") || "an unnamed adapter";
  const software = /swiftshader|llvmpipe|lavapipe|software|basic render/i.test(name);
  return {
    name,
    software: software || (adapter.info as { isFallbackAdapter?: boolean }).isFallbackAdapter === true,
  };
}

function unavailable(
  fn: string,
  argument: string,
  received: string,
  expected: string,
  fix: string,
  cause?: unknown,
): DeviceError {
  return new DeviceError({ fn, argument, received, expected, fix, ...(cause ? { cause } : {}) });
}
