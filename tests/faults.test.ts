// What can go wrong around the library, put into it: the error names what happened, and everything else is as before.
import { describe, expect, test } from "vitest";
import { callbacks } from "../scripts/faults/callbacks.mjs";
import { devices } from "../scripts/faults/devices.mjs";
import { disk } from "../scripts/faults/disk.mjs";
import { network } from "../scripts/faults/network.mjs";

// The limit that stands for a full disk is a shell's, and Windows has none.
const here = process.platform === "win32" ? {} : disk;

describe.each(Object.entries({ callbacks, devices, network, disk: here }))("%s", (_, faults) => {
  for (const [name, happens] of Object.entries(faults)) {
    test(name, async () => {
      await expect(happens()).resolves.toBeUndefined();
    });
  }
});
