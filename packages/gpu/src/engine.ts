/** An allocation in a device's memory that holds float32 numbers in row-major order. */
export type Buffer = { readonly length: number; readonly bytes: number };

/** Moves numbers between the host and a device. */
export type Engine<B extends Buffer> = {
  readonly mode: string;
  upload(numbers: Float32Array): B;
  read(buffer: B): Float32Array;
  /** Like `read`, without blocking the program. */
  fetch(buffer: B): Promise<Float32Array>;
  free(buffer: B): void;
  /** Bytes that compiled kernels keep for their next run. */
  idleBytes(): number;
  /** True if the device lost its memory. */
  lost(): boolean;
  close(): void;
};
