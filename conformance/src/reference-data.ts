import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** For tests: the reference data, in `$QKV_DATA` or beside the repository. */
export const dataDir = resolve(root, process.env["QKV_DATA"] ?? "../shared/data");

/** For tests: skips those of the file, and says why, where the reference data is not on this machine. */
export function needsReferenceData(): void {
  beforeEach((context) => {
    context.skip(!existsSync(dataDir), "the reference data is not there; QKV_DATA names its folder");
  });
}
