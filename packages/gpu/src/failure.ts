/** Kinds of failure of a device. */
export type FailureKind = "lost" | "size" | "compile" | "memory";

/** A failure inside an engine. The device throws it as a `DeviceError`, or falls back to the plain kernel. */
export class Failure extends Error {
  constructor(
    readonly kind: FailureKind,
    message: string,
    cause?: unknown,
  ) {
    const detail = cause instanceof Error ? `: ${cause.message.slice(0, 400)}` : "";
    super(`${message}${detail}`, { cause });
  }
}
