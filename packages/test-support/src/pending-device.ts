import { js, type Device, type Storage } from "@qkv/tensor";

/**
 * The plain device as a GPU is whose results can only be awaited: kernels compute with them, `await tensor.read()` gives
 * them, and `.data` throws. A tensor that was moved there with `to` counts as a result.
 */
export function pendingDevice(): Device {
  const own = js();
  const results = new WeakSet<Storage>();
  return {
    ...own,
    name: "pending",
    isPending: (storage) => results.has(storage),
    allocate(...call) {
      const storage = own.allocate(...call);
      results.add(storage);
      return storage;
    },
    fetch: (storage) => Promise.resolve(own.array(storage)),
    array(storage, use) {
      if (use === "read" && results.has(storage)) throw new Error("numbers that are pending");
      return own.array(storage);
    },
  };
}
