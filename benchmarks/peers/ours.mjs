// Our contenders, on the devices of the command line.

/**
 * Contenders for each device, one for each `resident` value. A call runs inside a scope, like a layer of a model. Data that is
 * not resident is an array, which each call copies in or out.
 *
 * @param build - `(device) => ({ inputs, state, compute })`: lists of `[data, shape]`, both optional, and the function from
 *   their tensors, inputs first, to a tensor. Other data that `compute` references is state.
 * @param options - `resident`: the data that stays on the device, as run.mjs defines it; the first value is not part of the name.
 */
export function ours(
  { devices },
  build,
  { variant = "", compared = (output) => output, resident = ["all"], rival } = {},
) {
  const one = (spec, kept) => ({
    name: ["@qkv on " + spec, variant, kept === resident[0] ? "" : `${kept} resident`]
      .filter(Boolean)
      .join(", "),
    kind: "ours",
    resident: kept,
    ...(rival && { rival }),
    async prepare({ threads }) {
      const [device, { tensor }] = await Promise.all([openDevice(spec, threads), import("@qkv/tensor")]);
      const { inputs = [], state = [], compute } = await build(device);
      const once = (list) => {
        const tensors = list.map(([numbers, shape]) => tensor(numbers, { shape }).to(device));
        return () => tensors;
      };
      const eachTime = (list) => () => list.map(([numbers, shape]) => tensor(numbers, { shape, device }));
      const givenInputs = (kept === "all" || kept === "inputs" ? once : eachTime)(inputs);
      const givenState = (kept === "nothing" ? eachTime : once)(state);
      const result = () => compute(...givenInputs(), ...givenState());
      const numbers = () => device.scope(result).data;
      return {
        threads: device.report().threads ?? 1,
        call: kept === "all" ? () => device.scope(() => void result()) : numbers,
        output: () => compared(numbers()),
      };
    },
  });
  return devices.flatMap((spec) => resident.map((kept) => one(spec, kept)));
}

/** A device from a name of the command line; --threads applies if the name has no number of threads. */
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
