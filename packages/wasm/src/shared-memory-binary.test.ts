import { expect, test } from "vitest";
import { withSharedMemory } from "./shared-memory-binary.js";
import { bundled } from "./sources.js";

const instantiate = async (binary: Uint8Array<ArrayBuffer>, shared: boolean) => {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 64, shared });
  return (await WebAssembly.instantiate(binary, { env: { memory } })).instance;
};

test.each(["plain", "relaxed"] as const)(
  "the %s binary imports an unshared memory, its changed copy a shared one, and neither accepts the other",
  async (build) => {
    const binary = await bundled.binary(build);
    const shared = withSharedMemory(binary);
    expect(shared.filter((byte, i) => byte !== binary[i])).toHaveLength(1);
    const names = Object.keys((await instantiate(binary, false)).exports);
    expect(Object.keys((await instantiate(shared, true)).exports)).toEqual(names);
    await expect(instantiate(binary, true)).rejects.toThrow(WebAssembly.LinkError);
    await expect(instantiate(shared, false)).rejects.toThrow(WebAssembly.LinkError);
  },
);
