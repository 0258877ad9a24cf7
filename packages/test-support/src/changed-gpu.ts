/** Replacement for a property of a `GPUDevice`, or undefined to leave it as it is. */
export type Change = (target: GPUDevice, name: string) => unknown;

/**
 * A proxy of a GPU that replaces properties of its devices.
 *
 * @param opened - List to which each device is added when it is opened.
 */
export function changedGpu(gpu: GPU, change: Change, opened: GPUDevice[] = []): GPU {
  const withReplacements = <T extends object>(target: T, replacement: (name: string) => unknown): T =>
    new Proxy(target, {
      get(_, name) {
        const replaced = replacement(String(name));
        if (replaced !== undefined) return replaced;
        const value = Reflect.get(target, name, target) as unknown;
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  const changedDevice = (device: GPUDevice) => {
    opened.push(device);
    return withReplacements(device, (name) => change(device, name));
  };
  const changedAdapter = (adapter: GPUAdapter) =>
    withReplacements(adapter, (name) =>
      name === "requestDevice"
        ? async (options: GPUDeviceDescriptor) => changedDevice(await adapter.requestDevice(options))
        : undefined,
    );
  return withReplacements(gpu, (name) =>
    name === "requestAdapter"
      ? async (options: GPURequestAdapterOptions) => changedAdapter((await gpu.requestAdapter(options))!)
      : undefined,
  );
}
