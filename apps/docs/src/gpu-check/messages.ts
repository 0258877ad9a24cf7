import type { CheckResult } from "@qkv/device/check";

/**
 * A third-party library that the page can check: its name with the version, its file on this site, and its size in
 * bytes.
 */
export type Peer = { readonly name: string; readonly file: string; readonly bytes: number };

/** Subjects to check: our devices by name, and third-party libraries by the absolute URL of their module. */
export type CheckOrder = {
  readonly devices: readonly string[];
  readonly peers: readonly { readonly name: string; readonly url: string }[];
};

/** Messages of the worker to the page, in order. */
export type CheckNews =
  | { readonly type: "adapter"; readonly subject: string; readonly name: string; readonly software: boolean }
  | { readonly type: "begins"; readonly subject: string }
  | { readonly type: "result"; readonly result: CheckResult }
  | { readonly type: "left-out"; readonly subject: string; readonly reason: string }
  | { readonly type: "done" };
