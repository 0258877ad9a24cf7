/**
 * Bytes of a buffer, and of a storage buffer binding, that every WebGPU implementation supports: the specification,
 * "Limits".
 */
const everywhere = { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27 };

/** The engine's GPU, with adapters that report the default limits of buffers. */
export async function gpuWithPlainLimits(): Promise<GPU> {
  const gpu = await findGpu();
  return replacing(gpu, {
    requestAdapter: async (options?: GPURequestAdapterOptions) => {
      const adapter = await gpu.requestAdapter(options);
      return adapter && replacing(adapter, { limits: replacing(adapter.limits, everywhere) });
    },
  });
}

async function findGpu(): Promise<GPU> {
  const here = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (here) return here;
  // A variable specifier, which the page's bundler ignores.
  const name = "webgpu";
  const { create } = (await import(name)) as { create(flags: readonly string[]): GPU };
  return create([]);
}

/** A proxy of an engine's object with other values of some properties; its methods run on the object itself. */
function replacing<T extends object>(target: T, values: { readonly [Name in keyof T]?: unknown }): T {
  return new Proxy(target, {
    get(_, name) {
      if (Object.hasOwn(values, name)) return values[name as keyof T];
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
