// Ours, on a device as the command line writes it: NAME[,threads=N][,plain|relaxed].

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
        threads: spec.startsWith("js") ? 1 : threads,
        call: leaves ? () => device.scope(compute) : () => device.scope(() => void compute()),
        output: () => compared(device.scope(compute).data),
      };
    },
  }));
}

export async function openDevice(spec, threads) {
  const [name, ...settings] = spec.split(",");
  if (name === "js") return (await import("@qkv/tensor")).js();
  if (name !== "wasm") throw new Error(`bench: ${name} is no device that runs here`);
  const { wasm } = await import("@qkv/wasm");
  const build = settings.find((setting) => setting === "plain" || setting === "relaxed");
  return wasm({ threads, ...(build && { build }) });
}
