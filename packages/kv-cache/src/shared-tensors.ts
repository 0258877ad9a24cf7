import { checks, DeviceError } from "@qkv/core";
import {
  bytesPerElement,
  contiguous,
  resident,
  write,
  zeros,
  type Device,
  type DType,
  type Tensor,
} from "@qkv/tensor";

/** Buffers that the forks of a cache share, with a reference count for copy-on-write. */
export type SharedTensors<Name extends string> = {
  readonly tensors: Readonly<Record<Name, Tensor>>;
  /** Number of caches that use them. */
  owners: number;
};

/** Wraps buffers with one owner, and makes them resident: no scope frees them. */
export function sharedTensors<Name extends string>(
  tensors: Readonly<Record<Name, Tensor>>,
): SharedTensors<Name> {
  for (const x of Object.values<Tensor>(tensors)) resident(x);
  return { tensors, owners: 1 };
}

/** Adds an owner. */
export function retain<S extends SharedTensors<string> | undefined>(shared: S): S {
  if (shared) shared.owners += 1;
  return shared;
}

/** Removes an owner. */
export function release(shared: SharedTensors<string> | undefined): void {
  if (shared) shared.owners -= 1;
}

/**
 * Returns buffers that may be written: these if they have one owner and are on `device`, else a copy. (Buffers of a restored
 * cache are on the `js` device until the first update.)
 */
export function exclusiveTensors<Name extends string>(
  shared: SharedTensors<Name>,
  device?: Device,
): SharedTensors<Name> {
  const elsewhere = device && Object.values<Tensor>(shared.tensors).some((x) => x.device !== device);
  if (elsewhere) return replace(shared, (x) => x.to(device));
  return shared.owners === 1 ? shared : replace(shared, cloned);
}

/** Replaces each buffer by `change(buffer)`, and releases the old ones. */
export function replace<Name extends string>(
  shared: SharedTensors<Name>,
  change: (x: Tensor, name: Name) => Tensor,
): SharedTensors<Name> {
  const entries = Object.entries<Tensor>(shared.tensors).map(([name, x]) => [name, change(x, name as Name)]);
  release(shared);
  return sharedTensors(Object.fromEntries(entries) as Record<Name, Tensor>);
}

/** Bytes of all buffers. */
export function allocatedBytes(shared: SharedTensors<string> | undefined): number {
  return Object.values(shared?.tensors ?? {}).reduce(
    (sum, { storage, dtype }) => sum + storage.length * bytesPerElement(dtype),
    0,
  );
}

/** Allocates a zero-filled buffer. If it does not fit into memory, the error names `update`, the public function that allocates. */
export function zeroBuffer(
  shape: readonly number[],
  { dtype, device }: { dtype: DType; device: Device },
): Tensor {
  try {
    return zeros(shape, { dtype, device });
  } catch (cause) {
    const bytes = shape.reduce((a, b) => a * b, bytesPerElement(dtype));
    return checks("update").refuse(
      {
        argument: "key",
        received: `tokens that need a buffer of ${(bytes / 2 ** 30).toFixed(1)} GiB, [${shape.join(", ")}]`,
        expected: `one that fits into the memory of ${device.name}`,
        fix: "make the cache with less room: fewer `pages`, a smaller `maxLength` or `windowSize`.",
        cause,
      },
      DeviceError,
    );
  }
}

/** A copy of x in a zero-filled buffer whose `axis` has the given length, at least the current one. */
export function grown(x: Tensor, axis: number, length: number): Tensor {
  const larger = zeroBuffer(
    x.shape.map((current, a) => (a === axis ? length : current)),
    x,
  );
  write(larger, axis, 0, x);
  return larger;
}

function cloned(x: Tensor): Tensor {
  return grown(x, 0, x.shape[0]!);
}

/** Moves rows of a buffer to index `start` of an axis of the same buffer. Source and destination may overlap. */
export function moveRows(to: Tensor, axis: number, start: number, rows: Tensor): void {
  const copy = contiguous(rows) === rows ? grown(rows, axis, rows.shape[axis]!) : contiguous(rows);
  write(to, axis, start, copy);
}
