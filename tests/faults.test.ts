// Fault injection: errors name the cause, and all other state is unchanged.
import { describe, expect, test } from "vitest";
import { callbacks } from "../scripts/faults/callbacks.mjs";
import { devices } from "../scripts/faults/devices.mjs";
import { disk } from "../scripts/faults/disk.mjs";
import { network } from "../scripts/faults/network.mjs";

// A shell's limit on file sizes simulates the full disk. Windows has none.
const here = process.platform === "win32" ? {} : disk;

describe.each(Object.entries({ callbacks, devices, network, disk: here }))("%s", (_, faults) => {
  for (const [name, happens] of Object.entries(faults)) {
    test(name, async () => {
      await expect(happens()).resolves.toBeUndefined();
    });
  }
});
