// The tests nearest to a change: of each changed source, those in its folder, which has the tests beside it and those of all of
// its kind, as every-mask.test.ts; and each changed test. Imports say less: most sources reach most tests through an index.
import { posix } from "node:path";

const test = /\.test\.tsx?$/;
const needsMore = /\.browser\.|\.slow\./;
/** The package, app or folder of tests that a file is part of. */
const partOf = (file) => /^(?:packages|apps)\/[^/]+|^[^/]+/.exec(file)[0];

/**
 * Sorts tests by a change. `changed` and `tests` are paths from the root; a deleted file counts as changed. Returns `near`, the
 * tests to run, the folders nearest to the sources first; `far`, the other tests of the same packages; and `untested`, changed
 * sources with no test in their folder or a folder above it in their package.
 */
export function nearestTests(changed, tests) {
  const quick = tests.filter((file) => !needsMore.test(file));
  const near = new Set(quick.filter((file) => changed.includes(file)));
  const untested = [];
  for (const file of changed) {
    if (test.test(file)) continue;
    let folder = posix.dirname(file);
    let found = [];
    for (
      ;
      found.length === 0 && folder.startsWith(partOf(file)) && folder !== ".";
      folder = posix.dirname(folder)
    )
      found = quick.filter((one) => posix.dirname(one) === folder);
    if (found.length === 0) untested.push(file);
    const beside = file.replace(/\.\w+$/, ".test.ts");
    for (const one of found.sort((a, b) => Number(b === beside) - Number(a === beside))) near.add(one);
  }
  const parts = new Set(changed.map(partOf));
  const far = tests.filter((file) => !near.has(file) && parts.has(partOf(file)));
  return { near: [...near], far, untested };
}
