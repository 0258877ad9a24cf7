import { sizeOf } from "@qkv/core";
import { js, Tensor, type Device, type HalfType } from "@qkv/tensor";
import { allocateResident } from "@qkv/tensor/devices";

/** Values of a stored tensor, or bit patterns for tensors that stay in 16 bits. */
export type Chunk = Float32Array | Uint16Array;

/** Memory of a tensor that is filled in chunks. `done()` returns the tensor. */
export type TensorBuffer = { values(): Chunk; done(): Tensor };

/** Allocates a tensor on a device. It stays in device memory. */
export function allocateTensor(
  device: Device,
  shape: readonly number[],
  type: "float32" | HalfType,
): TensorBuffer {
  const size = sizeOf(shape);
  if (device.remote) {
    const values: Chunk = type === "float32" ? new Float32Array(size) : new Uint16Array(size);
    return {
      values: () => values,
      done: () => {
        const storage = device.fromHost(type, values);
        device.retain(storage);
        return new Tensor(device, storage, [...shape]);
      },
    };
  }
  const storage = allocateResident(device, type, size);
  return {
    // The array is requested for each chunk, because the memory of the device may have grown and been reallocated.
    values: () => device.array(storage) as Chunk,
    done: () => new Tensor(device, storage, [...shape]),
  };
}

/** Bytes of a tensor of this shape and type. */
export const tensorBytes = (shape: readonly number[], type: "float32" | HalfType): number =>
  sizeOf(shape) * (type === "float32" ? 4 : 2);

/** A tensor without data, for planning: a single element broadcast to its shape. */
export function plannedTensor(shape: readonly number[]): Tensor {
  const device = js();
  const layout = { strides: shape.map(() => 0), offset: 0 };
  return new Tensor(device, device.fromHost("float32", new Float32Array(1)), [...shape], layout);
}
