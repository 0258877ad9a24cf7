// Runs in a page: the test families that compute on a device, with a device of the page.
import { openDevice } from "../devices.js";
import { onDevice } from "../families.js";
import { runConformance, type FamilyResult } from "../run.js";

declare global {
  /** Provided by the runner. Called with the result of each family when it is done. */
  function familyDone(result: FamilyResult): Promise<void>;
  var runInPage: (spec: string, only: readonly string[]) => Promise<string>;
}

globalThis.runInPage = async (spec, only) => {
  const target = await openDevice(spec);
  const pending: Promise<void>[] = [];
  await runConformance(target, {
    dataDir: `${location.origin}/data`,
    only,
    kinds: onDevice,
    onFamily: (result) => pending.push(globalThis.familyDone(result)),
  });
  await Promise.all(pending);
  const { renderer, adapter } = target.device.report() as { renderer?: string; adapter?: string };
  return renderer ?? adapter ?? target.device.name;
};
