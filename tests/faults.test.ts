// Fault injection: errors name the cause, and all other state is unchanged.
import { describe, expect, test } from "vitest";
import { casesByTier } from "../scripts/tier.mjs";
import { callbacks } from "../scripts/faults/callbacks.mjs";
import { devices } from "../scripts/faults/devices.mjs";
import { disk } from "../scripts/faults/disk.mjs";
import { network } from "../scripts/faults/network.mjs";

// A shell's limit on file sizes simulates the full disk. Windows has none.
const here = process.platform === "win32" ? {} : disk;

/** Each has a quicker one of the same kind beside it. */
const slow = [
  "memory runs out while a model appends to a cache: all layers are unchanged, or the cache is empty",
  "the checkpoint of a training run on a full disk",
  "a result to a full disk",
];

describe.each(Object.entries({ callbacks, devices, network, disk: here }))("%s", (_, faults) => {
  for (const [name, happens] of casesByTier(Object.entries(faults), ([name]) => !slow.includes(name))) {
    test(name, async () => {
      await expect(happens()).resolves.toBeUndefined();
    });
  }
});
