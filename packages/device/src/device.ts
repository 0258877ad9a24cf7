import { checks } from "@qkv/core";
import type { Device, Tensor } from "@qkv/tensor";
import { candidateOf } from "./candidates.js";
import type { BestDevice } from "./choice.js";
import { choose } from "./choose.js";
import { pageStorage, Remembered, type ChoiceStorage } from "./remembered.js";
import { sampleWork } from "./sample-work.js";

declare const __VERSION__: string;

export type DeviceOptions = {
  /**
   * Devices that may be chosen, as on a command line; of equally fast ones the first. Default `["webgpu", "wasm", "js"]`.
   */
  prefer?: readonly string[];
  /** The object that gives adapters. Default: `navigator.gpu`; in Node without one the npm package `webgpu`. */
  gpu?: { requestAdapter(...args: never[]): Promise<unknown> };
  /** True to consider adapters that are software on the CPU. Default false: they compute right, and slowly. */
  software?: boolean;
  /** Time that WebGPU has to be ready; after it, it comes later, as `better`. Unit: milliseconds. Default 500. */
  patienceMs?: number;
  /**
   * Work that devices are compared by: called once for each with the device, and what it returns is timed, in a scope and
   * up to the read of its result. Default: eight layers of 512 numbers for 32 tokens.
   */
  work?: (device: Device) => () => Tensor;
  /**
   * Remembers the choice by adapter, version and preferences for a week, unless `work` is given. Default: `localStorage`,
   * else nothing. `null`: nothing.
   */
  storage?: ChoiceStorage | null;
};

/**
 * The best device here: those of the preferences that pass their self-test are timed, and the fastest is taken. Where
 * WebGPU is not ready in time, another is returned at once, and `better` gives WebGPU later.
 *
 * The result is a `Device` that also has `choice`: its name, and what became of every device of the preferences, with the reason.
 *
 * @throws {ArgumentError} If an option is none of those that it takes.
 * @throws {DeviceError} If none of the preferences opens here, with the reason of each.
 *
 * @example
 * ```ts
 * import { device } from "@qkv/device";
 * import { randn } from "@qkv/tensor";
 *
 * const best = await device({ prefer: ["wasm", "js"] });
 * randn([2, 3], { seed: 1, device: best }).shape; // => [2, 3]
 * best.choice.name; // => "wasm"
 * best.choice.why; // => "no other device of the preferences opens here"
 * ```
 */
export async function device(options?: DeviceOptions): Promise<BestDevice> {
  const check = checks("device");
  const names = ["prefer", "gpu", "software", "patienceMs", "work", "storage"] as const;
  const given = check.options(options, names);
  const { prefer = ["webgpu", "wasm", "js"], gpu, software = false, patienceMs = 500 } = given;
  const { work, storage } = given;
  check.type({ software }, "boolean");
  check.finite({ patienceMs }, { min: 0, unit: "milliseconds", fix: "leave it out for 500." });
  if (work !== undefined)
    check.type({ work }, "function", "pass a function that gets the device and returns the work.");
  if (!Array.isArray(prefer) || prefer.length === 0 || prefer.some((name) => typeof name !== "string"))
    check.refuse({
      argument: "prefer",
      received: prefer,
      expected: "a list of names of devices",
      fix: 'leave it out for ["webgpu", "wasm", "js"].',
    });
  if (storage && (typeof storage.getItem !== "function" || typeof storage.setItem !== "function"))
    check.refuse({
      argument: "storage",
      received: storage,
      expected: "an object with getItem and setItem, or null",
      fix: "pass `localStorage`, or `fileStorage(path)` of @qkv/device/file-storage.",
    });
  const candidates = await Promise.all([...new Set(prefer)].map((name) => candidateOf(name, gpu)));
  let adapter: string | undefined;
  const refused = new Map<string, string>();
  for (const candidate of candidates) {
    if (!candidate.adapter) continue;
    try {
      const found = await candidate.adapter();
      adapter = found.name;
      if (found.software && !software)
        refused.set(candidate.name, `${found.name} is software on the CPU; \`software: true\` considers it`);
    } catch (error) {
      refused.set(candidate.name, error instanceof Error ? error.message.split("\n")[0]! : String(error));
    }
  }
  const facts = [__VERSION__, adapter ?? "no adapter", prefer.join(" "), software ? "software" : ""];
  // A choice by the program's own `work` is not stored: nothing identifies that work.
  const memory = work ? undefined : storage === undefined ? pageStorage() : (storage ?? undefined);
  return choose(candidates, {
    remembered: new Remembered(memory, facts, Date.now),
    adapter,
    refused,
    patienceMs,
    work: work ?? sampleWork,
    clock: () => performance.now(),
  });
}
