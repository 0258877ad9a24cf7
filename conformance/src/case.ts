import type { Device } from "@qkv/tensor/contracts";
import type { DataFolder } from "../data-folder.mjs";
import type { Check } from "./check.js";
import type { DeviceClass } from "./tolerance.js";

/** Device of a run, and the column of the tolerances that judges it. */
export type Target = { device: Device; class: DeviceClass };

/**
 * One thing that is run and compared with its reference. `run` answers with a check for each output; it throws
 * {@link Skip} where the case asks for something that is not built yet, and anything else is a failure.
 */
export type Case = {
  name: string;
  run(target: Target): Check[] | Promise<Check[]>;
  /** Published figures that no check is held to, beside ours: lines for the report. */
  context?(): string[];
};

/** The cases of one file of the data, and the family whose line they count in. */
export type Source = {
  family: string;
  /** Relative to the data folder, with slashes. */
  file: string;
  cases: Case[];
  /** Present where nothing here can run the file's cases yet: why. They count as skipped, and the file is listed. */
  notYet?: string;
};

/** Finds the sources of one kind in a data folder. A new kind is one of these and one line in `families.ts`. */
export type Kind = (data: DataFolder) => Source[];

/** Thrown by a case that cannot run yet. The message is the reason in the report. */
export class Skip extends Error {}

/** A case that fails for a reason found while reading. */
export function brokenCase(name: string, reason: string): Case {
  return {
    name,
    run() {
      throw new Error(reason);
    },
  };
}

/** A case that is counted and not run. */
export function skippedCase(name: string, reason: string): Case {
  return {
    name,
    run() {
      throw new Skip(reason);
    },
  };
}
