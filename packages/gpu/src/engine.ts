/** A piece of a device's memory that holds float32 numbers in row-major order. */
export type Buffer = { readonly length: number; readonly bytes: number };

/** What moves numbers between the program and a device. */
export type Engine<B extends Buffer> = {
  readonly mode: string;
  upload(numbers: Float32Array): B;
  /** Absent where numbers come only to who waits. */
  read?(buffer: B): Float32Array;
  /** As `read`, without keeping the program waiting. */
  fetch(buffer: B): Promise<Float32Array>;
  free(buffer: B): void;
  /** Bytes that kernels keep for their next run. */
  idleBytes(): number;
  /** Whether what was on the device is gone. */
  lost(): boolean;
  close(): void;
};
