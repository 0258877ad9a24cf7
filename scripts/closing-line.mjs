// A vitest reporter that prints a final line for people and scripts: `N passed, N failed`.
export default class ClosingLine {
  onTestRunEnd(modules, errors) {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) counts[test.result().state] += 1;
      // A group whose set-up failed counts as failed too: vitest counts its tests as skipped.
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
      // A file that could not be loaded has no tests. It counts as failed.
      if (module.errors().length > 0) counts.failed += 1;
    }
    counts.failed += errors.length;
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
    console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
  }
}
