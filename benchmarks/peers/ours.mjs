// Ours, on the devices that the command line names.

/**
 * Contenders for each device of the context, one for each residency that is asked for. A call runs inside a scope, as a
 * layer of a model does. What is not resident is an array of the program: copied in by each call, or copied out.
 *
 * @param build - `(device) => ({ inputs, state, compute })`: lists of `[numbers, shape]`, both optional, and the function
 *   from their tensors, the inputs first, to a tensor. What `compute` holds by itself is state.
 * @param options - `resident`: what stays on the device, in run.mjs's words; the first one goes without saying.
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
