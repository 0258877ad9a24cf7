import { expect, test } from "vitest";
import { overSharedMemory } from "./over-shared-memory.js";
import { bundled } from "./sources.js";

const instantiate = async (binary: Uint8Array<ArrayBuffer>, shared: boolean) => {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 64, shared });
  return (await WebAssembly.instantiate(binary, { env: { memory } })).instance;
};

test.each(["plain", "relaxed"] as const)(
  "the %s binary takes the memory it is meant for, and only that",
  async (build) => {
    const binary = await bundled.binary(build);
    const shared = overSharedMemory(binary);
    expect(shared.filter((byte, i) => byte !== binary[i])).toHaveLength(1);
    const names = Object.keys((await instantiate(binary, false)).exports);
    expect(Object.keys((await instantiate(shared, true)).exports)).toEqual(names);
    await expect(instantiate(binary, true)).rejects.toThrow(WebAssembly.LinkError);
    await expect(instantiate(shared, false)).rejects.toThrow(WebAssembly.LinkError);
  },
);
