/** Kinds of failure of a device. */
export type FailureKind = "lost" | "size" | "compile" | "memory" | "wait";

/** Something went wrong inside of an engine. The device turns it into a `DeviceError`, or into work on the plain kernel. */
export class Failure extends Error {
  constructor(
    readonly kind: FailureKind,
    message: string,
    cause?: unknown,
  ) {
    const under = cause instanceof Error ? `: ${cause.message.slice(0, 400)}` : "";
    super(`${message}${under}`, { cause });
  }
}
