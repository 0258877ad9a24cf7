import type { Device } from "@qkv/tensor/contracts";
import type { DataFolder } from "../data-folder.mjs";
import type { Check } from "./check.js";
import type { DeviceClass } from "./tolerance.js";

/** The device of a run, and the column of the tolerances. */
export type Target = { device: Device; class: DeviceClass };

/**
 * One computation that is compared with its reference. `run` returns a check for each output; it throws {@link Skip} if
 * something that the case needs is not implemented, and any other error is a failure.
 */
export type Case = {
  name: string;
  run(target: Target): Check[] | Promise<Check[]>;
  /** Published figures without a check, beside ours: lines for the report. */
  context?(): string[];
};

/** The cases of one file of the data, and the family that they count in. */
export type Source = {
  family: string;
  /** Relative to the data folder, with slashes. */
  file: string;
  cases: Case[];
  /** Reason why no case of the file can run yet. They count as skipped, and the file is listed. */
  notYet?: string;
};

/** Finds the sources of one kind in a data folder. Add a new kind here and to `families.ts`. */
export type Kind = (data: DataFolder) => Source[];

/** Thrown by a case that cannot run yet. The message is the reason in the report. */
export class Skip extends Error {}

/** A case that fails for a reason found while reading the file. */
export function brokenCase(name: string, reason: string): Case {
  return {
    name,
    run() {
      throw new Error(reason);
    },
  };
}

/** A case that is counted but not run. */
export function skippedCase(name: string, reason: string): Case {
  return {
    name,
    run() {
      throw new Skip(reason);
    },
  };
}
