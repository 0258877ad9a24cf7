import type { CheckResult } from "@qkv/device/check";

/** A library of others that the page can check: its name with the version, its file on this site, and its bytes. */
export type Peer = { readonly name: string; readonly file: string; readonly bytes: number };

/** Subjects to check: devices of ours, by name, and libraries of others by the absolute address of their module. */
export type CheckOrder = {
  readonly devices: readonly string[];
  readonly peers: readonly { readonly name: string; readonly url: string }[];
};

/** News of the worker to the page, in order. */
export type CheckNews =
  | { readonly type: "adapter"; readonly subject: string; readonly name: string; readonly software: boolean }
  | { readonly type: "begins"; readonly subject: string }
  | { readonly type: "result"; readonly result: CheckResult }
  | { readonly type: "left-out"; readonly subject: string; readonly reason: string }
  | { readonly type: "done" };
