import { checks } from "@qkv/core";
import type { Device, Tensor } from "@qkv/tensor";
import { loadCandidate } from "./candidates.js";
import type { BestDevice } from "./choice.js";
import { choose } from "./choose.js";
import { sampleWork } from "./sample-work.js";
import { browserStorage, StoredChoices, type ChoiceStorage } from "./stored-choices.js";

declare const __VERSION__: string;

export type DeviceOptions = {
  /**
   * Devices that may be chosen, written as on a command line: `"wasm,threads=4"`. Of equally fast devices, the first is
   * chosen. Default `["webgpu", "wasm", "js"]`.
   */
  prefer?: readonly string[];
  /** Any `GPU` object. Default: `navigator.gpu`, or in Node without one, the npm package `webgpu`. */
  gpu?: { requestAdapter(...args: never[]): Promise<unknown> };
  /** True to consider software adapters, which run on the CPU: their results are right, but slow. Default false. */
  software?: boolean;
  /**
   * Longest wait for WebGPU to compile its shaders. If it takes longer, another device is returned, and WebGPU may follow as
   * `better`. Unit: milliseconds. Default 500.
   */
  timeoutMs?: number;
  /**
   * Sample of work by which devices are compared. It is called once per device, and the function that it returns is
   * timed, in a scope, including the read of the result. Default: eight linear layers of width 512 on 32 rows.
   */
  work?: (device: Device) => () => Tensor;
  /**
   * Storage that remembers the choice for a week, by adapter, version and preferences; it is not used with `work`.
   * Default: `localStorage` where it exists. `null`: the choice is not remembered.
   */
  storage?: ChoiceStorage | null;
};

/**
 * Chooses the fastest device: the devices of `prefer` that pass their self-test run a sample of work, and the one with the
 * shortest time is returned. If WebGPU is not ready in time, another device is returned at once, and `better` resolves to
 * the WebGPU device later.
 *
 * The result is a `Device` with a `choice`: the name of the device, and the outcome for every device of `prefer` with the
 * reason.
 *
 * @throws {ArgumentError} If an option is unknown or has a wrong value.
 * @throws {DeviceError} If no device of `prefer` opens. The message has the reason for each.
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
  const names = ["prefer", "gpu", "software", "timeoutMs", "work", "storage"] as const;
  const checked = check.options(options, names);
  const { prefer = ["webgpu", "wasm", "js"], gpu, software = false, timeoutMs = 500 } = checked;
  const { work, storage } = checked;
  check.type({ software }, "boolean");
  check.finite({ timeoutMs }, { min: 0, unit: "milliseconds", fix: "leave it out for 500." });
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
  const candidates = await Promise.all([...new Set(prefer)].map((name) => loadCandidate(name, gpu)));
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
  const keyParts = [__VERSION__, adapter ?? "no adapter", prefer.join(" "), software ? "software" : ""];
  const choiceStorage = storage === undefined ? browserStorage() : (storage ?? undefined);
  return choose(candidates, {
    // A choice by the program's own `work` is not stored: nothing identifies that work.
    stored: new StoredChoices(work ? undefined : choiceStorage, keyParts, Date.now),
    adapter,
    refused,
    timeoutMs,
    work: work ?? sampleWork,
    clock: () => performance.now(),
  });
}
