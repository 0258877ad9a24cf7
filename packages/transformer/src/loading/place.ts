import { sizeOf } from "@qkv/core";
import { js, Tensor, type Device, type HalfType } from "@qkv/tensor";
import { allocateResident } from "@qkv/tensor/devices";

/** Numbers of a stored tensor, or bit patterns for tensors that stay in 16 bits. */
export type Piece = Float32Array | Uint16Array;

/** Allocates a tensor on a device, to be filled in chunks. It stays in device memory. */
export type Place = { numbers(): Piece; done(): Tensor };

export function placeOn(device: Device, shape: readonly number[], type: "float32" | HalfType): Place {
  const size = sizeOf(shape);
  if (device.remote) {
    const numbers: Piece = type === "float32" ? new Float32Array(size) : new Uint16Array(size);
    return {
      numbers: () => numbers,
      done: () => {
        const storage = device.fromHost(type, numbers);
        device.retain(storage);
        return new Tensor(device, storage, [...shape]);
      },
    };
  }
  const storage = allocateResident(device, type, size);
  return {
    // Requested each time, because the memory of the device may have grown and been reallocated.
    numbers: () => device.array(storage) as Piece,
    done: () => new Tensor(device, storage, [...shape]),
  };
}

/** Bytes of such a tensor. */
export const placeBytes = (shape: readonly number[], type: "float32" | HalfType): number =>
  sizeOf(shape) * (type === "float32" ? 4 : 2);

/** A tensor without data, for planning: a single number broadcast to its shape. */
export function unread(shape: readonly number[]): Tensor {
  const device = js();
  const layout = { strides: shape.map(() => 0), offset: 0 };
  return new Tensor(device, device.fromHost("float32", new Float32Array(1)), [...shape], layout);
}
