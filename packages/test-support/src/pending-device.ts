import { js, type Device, type Storage } from "@qkv/tensor";

/**
 * The plain device with pending results, as on a GPU: kernels compute with them, `await tensor.read()` returns them, and
 * `.data` throws. Tensors moved to it with `to` are pending, too.
 */
export function pendingDevice(): Device {
  const plain = js();
  const pending = new WeakSet<Storage>();
  return {
    ...plain,
    name: "pending",
    isPending: (storage) => pending.has(storage),
    allocate(...call) {
      const storage = plain.allocate(...call);
      pending.add(storage);
      return storage;
    },
    fetch: (storage) => Promise.resolve(plain.array(storage)),
    array(storage, use) {
      if (use === "read" && pending.has(storage)) throw new Error("the numbers of this tensor are pending");
      return plain.array(storage);
    },
  };
}
