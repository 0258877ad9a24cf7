import { deviceError } from "./failures.js";

/** A buffer of the GPU, and the last submission that uses it. */
export type GpuBuffer = {
  readonly id: number;
  readonly buffer: GPUBuffer;
  /** Size in bytes, a {@link sizeClass}. */
  readonly size: number;
  /** Number of the submission that last uses it. */
  lastUse: number;
};

/** Usage bits of `GPUBufferUsage`, as numbers because not every host has the constants. */
export const usage = { mapRead: 1, copySource: 4, copyTarget: 8, uniform: 64, storage: 128 } as const;

/** Smallest size of the form 2ⁿ or 1.5 · 2ⁿ, at least 256, that holds so many bytes. Buffers are reused by size class. */
export function sizeClass(bytes: number): number {
  const power = 2 ** Math.ceil(Math.log2(Math.max(256, bytes)));
  return power > 256 && bytes <= 0.75 * power ? 0.75 * power : power;
}

/**
 * The buffers of a device. Freed buffers are reused by size class; beyond a budget of idle bytes, those freed first are
 * destroyed.
 */
export class Buffers {
  readonly #device: GPUDevice;
  readonly #idleBudget: number;
  readonly #fail: (kind: "memory", message: string) => void;
  readonly #beforeDestroying: (buffer: GpuBuffer) => void;
  readonly #idle = new Map<number, GpuBuffer[]>();
  #nextId = 1;
  #liveBytes = 0;
  #peakBytes = 0;
  #idleBytes = 0;

  /**
   * @param fail - Called if the GPU reports that it ran out of memory for a buffer.
   * @param beforeDestroying - Submits the recorded work that uses a buffer.
   */
  constructor(
    device: GPUDevice,
    idleBudget: number,
    fail: (kind: "memory", message: string) => void,
    beforeDestroying: (buffer: GpuBuffer) => void,
  ) {
    this.#device = device;
    this.#idleBudget = idleBudget;
    this.#fail = fail;
    this.#beforeDestroying = beforeDestroying;
  }

  get liveBytes(): number {
    return this.#liveBytes;
  }

  get peakBytes(): number {
    return this.#peakBytes;
  }

  get idleBytes(): number {
    return this.#idleBytes;
  }

  /** A buffer of at least `bytes` bytes. Its contents are undefined. */
  allocate(fn: string, bytes: number): GpuBuffer {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.#device.limits;
    const most = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    if (bytes > most)
      throw deviceError(fn, "size", `a tensor of ${bytes} bytes, and the adapter binds ${most}`);
    const size = Math.min(sizeClass(bytes), 4 * Math.floor(most / 4));
    const reused = this.#idle.get(size)?.pop();
    if (reused) this.#idleBytes -= size;
    const buffer = reused ?? this.#create(fn, size);
    this.#liveBytes += size;
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes);
    return buffer;
  }

  /** Frees a buffer. Work recorded before still reads it correctly, because the queue runs in order. */
  free(buffer: GpuBuffer): void {
    const { size } = buffer;
    this.#liveBytes -= size;
    const list = this.#idle.get(size) ?? [];
    this.#idle.set(size, list);
    list.push(buffer);
    this.#idleBytes += size;
    while (this.#idleBytes > this.#idleBudget) this.#destroyOldest();
  }

  #create(fn: string, size: number): GpuBuffer {
    this.#device.pushErrorScope("out-of-memory");
    const buffer = this.#device.createBuffer({
      size,
      usage: usage.storage | usage.copySource | usage.copyTarget,
    });
    void this.#device.popErrorScope().then(
      (error) => error && this.#fail("memory", `no room for ${size} bytes of ${fn}: ${error.message}`),
      () => undefined,
    );
    return { id: this.#nextId++, buffer, size, lastUse: -1 };
  }

  #destroyOldest(): void {
    for (const [size, list] of this.#idle) {
      const oldest = list.shift();
      if (!oldest) {
        this.#idle.delete(size);
        continue;
      }
      this.#idleBytes -= size;
      this.#beforeDestroying(oldest);
      oldest.buffer.destroy();
      return;
    }
  }
}

/** Writes an array of the host to a buffer, padded to a multiple of 4 bytes. */
export function writeTo(device: GPUDevice, { buffer }: GpuBuffer, array: ArrayBufferView): void {
  const { byteLength } = array;
  if (byteLength === 0) return;
  const whole = byteLength % 4 === 0;
  const bytes = new Uint8Array(whole ? 0 : 4 * Math.ceil(byteLength / 4));
  if (!whole) bytes.set(new Uint8Array(array.buffer, array.byteOffset, byteLength));
  const source = whole ? array : bytes;
  device.queue.writeBuffer(buffer, 0, source.buffer as ArrayBuffer, source.byteOffset, source.byteLength);
}
