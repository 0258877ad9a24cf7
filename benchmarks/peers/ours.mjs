// Ours, on the devices that the command line names.

/**
 * One contender for each device of the context. A call runs inside a scope, as a layer of a model does, so its result
 * stays on the device; `leaves` has it copied out.
 *
 * @param build - `(device) => () => tensor`: what is called, on tensors made once, which stay on the device.
 */
export function ours(
  { devices },
  build,
  { variant = "", compared = (output) => output, leaves, rival } = {},
) {
  return devices.map((spec) => ({
    name: `@qkv on ${spec}${variant ? `, ${variant}` : ""}`,
    kind: "ours",
    ...(rival && { rival }),
    async prepare({ threads }) {
      const device = await openDevice(spec, threads);
      const compute = await build(device);
      return {
        threads: device.report().threads ?? 1,
        call: leaves ? () => device.scope(compute) : () => device.scope(() => void compute()),
        output: () => compared(device.scope(compute).data),
      };
    },
  }));
}

/** A device as the command line writes it; --threads is what its name does not say. */
export async function openDevice(spec, threads) {
  if (spec === "js") return (await import("@qkv/tensor")).js();
  const { parseWasmName, wasm } = await import("@qkv/wasm");
  const options = parseWasmName(spec);
  if (options) return wasm({ threads, ...options });
  const { gpu, parseGpuName } = await import("@qkv/gpu");
  const onGpu = parseGpuName(spec);
  if (onGpu) return gpu(onGpu);
  throw new Error(`bench: there is no device "${spec}"`);
}
