/** Another value for a name of a GPU's device, or undefined to leave it as it is. */
export type Change = (target: GPUDevice, name: string) => unknown;

/**
 * A GPU whose devices answer to some names in another way.
 *
 * @param opened - Gets each device that is opened.
 */
export function changedGpu(gpu: GPU, change: Change, opened: GPUDevice[] = []): GPU {
  const within = <T extends object>(target: T, own: (name: string) => unknown): T =>
    new Proxy(target, {
      get(_, name) {
        const given = own(String(name));
        if (given !== undefined) return given;
        const value = Reflect.get(target, name, target) as unknown;
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  const deviceOf = (device: GPUDevice) => {
    opened.push(device);
    return within(device, (name) => change(device, name));
  };
  const adapterOf = (adapter: GPUAdapter) =>
    within(adapter, (name) =>
      name === "requestDevice"
        ? async (options: GPUDeviceDescriptor) => deviceOf(await adapter.requestDevice(options))
        : undefined,
    );
  return within(gpu, (name) =>
    name === "requestAdapter"
      ? async (options: GPURequestAdapterOptions) => adapterOf((await gpu.requestAdapter(options))!)
      : undefined,
  );
}
