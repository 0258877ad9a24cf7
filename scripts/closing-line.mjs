// A vitest reporter that closes a run with one line that people and scripts read alike.
export default class ClosingLine {
  onTestRunEnd(modules, errors) {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) counts[test.result().state] += 1;
      // Nor must a group whose set-up failed: its tests count as skipped.
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
      // A file that could not be loaded has no tests to count, and must not pass for that.
      if (module.errors().length > 0) counts.failed += 1;
    }
    counts.failed += errors.length;
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
    console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
  }
}
