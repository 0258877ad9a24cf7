// The closing line of `npm test` and of CI is correct, whatever the steps print.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "qkv-steps-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Step = { name: string; seconds?: number; counts?: boolean; skip?: string; program: string };

/** Runs steps, each in a child process, and returns the printed lines and the exit code. */
function run(...steps: Step[]) {
  const commands = steps.map(({ program, ...step }, i) => {
    const file = join(folder, `step-${i}.mjs`);
    writeFileSync(file, program);
    return { ...step, command: ["node", file] };
  });
  const url = new URL("../scripts/steps.mjs", import.meta.url).href;
  const main = join(folder, "main.mjs");
  writeFileSync(
    main,
    `import { runSteps } from ${JSON.stringify(url)};
     process.exitCode = (await runSteps(${JSON.stringify(commands)})) ? 0 : 1;`,
  );
  const { stdout, stderr, status } = spawnSync(process.execPath, [main], { encoding: "utf8" });
  return { stdout, stderr, status, last: stdout.trimEnd().split("\n").at(-1) };
}

const quiet = { name: "quiet", program: "console.log('hidden')" };
const counted = (line: string, code = 0) => ({
  name: "counted",
  counts: true,
  program: `console.log("9 passed, 9 failed\\n${line}\\nafter"); console.error("noise"); process.exitCode = ${code}`,
});

test("npm run nightly lists its parts, each with a sentence, and refuses an unknown part", () => {
  const nightly = (...args: string[]) =>
    spawnSync(
      process.execPath,
      [fileURLToPath(new URL("../scripts/nightly.mjs", import.meta.url)), ...args],
      {
        encoding: "utf8",
      },
    );
  const { stdout, status } = nightly();
  const files = readdirSync(new URL("../scripts/nightly/", import.meta.url)).filter((name) =>
    name.endsWith(".mjs"),
  );
  expect(status).toBe(0);
  for (const file of files)
    expect(stdout).toMatch(new RegExp(`^ {2}${file.replace(".mjs", "")} .*\\.$`, "m"));
  expect(files).toContain("clone.mjs");
  const refused = nightly("clones");
  expect(refused.stderr).toContain('there is no part "clones".\nFix: name one of these:\n  bench');
  expect(refused.status).toBe(1);
});

test("counts are added, and a step without counts prints nothing if it passes", () => {
  const { stdout, status, last } = run(
    quiet,
    counted("3 passed, 0 failed"),
    counted("4 passed, 0 failed, 2 skipped"),
  );
  expect({ status, last }).toEqual({ status: 0, last: "7 passed, 0 failed, 2 skipped" });
  expect(stdout).not.toContain("hidden");
});

test("a step that fails without counts prints its output and stops the run", () => {
  const broken = { name: "broken", program: "console.log('why'); process.exitCode = 3" };
  const { stdout, status, last } = run(broken, counted("3 passed, 0 failed"));
  expect({ status, last }).toEqual({ status: 1, last: "0 passed, 1 failed" });
  expect(stdout).toContain("why");
  expect(stdout).not.toContain("of 2, counted");
});

test("a failure ends with the three lines that tell of it", () => {
  const texts = [
    "working",
    "a.ts:1:2 error one",
    "more",
    "Error: two",
    "FAIL three",
    "Error: four",
    "the end",
  ];
  const broken = {
    name: "broken",
    program: `console.log(${JSON.stringify(texts.join("\n"))}); process.exitCode = 1`,
  };
  const ending = (program: string) =>
    run({ ...broken, program })
      .stdout.trimEnd()
      .split("\n")
      .slice(-5, -1);
  expect(ending(broken.program)).toEqual([
    expect.stringMatching(/^x broken failed after .* It says:$/),
    "  a.ts:1:2 error one",
    "  Error: two",
    "  FAIL three",
  ]);
  expect(ending('console.log("1\\n2\\n3\\n4"); process.exitCode = 1').slice(1)).toEqual([
    "  2",
    "  3",
    "  4",
  ]);
});

test("a step says its place, and about how long it takes", () => {
  const { stdout } = run({ ...quiet, seconds: 20 }, quiet);
  expect(stdout).toMatch(/^> 1 of 2, quiet \(about 20 s\): node/m);
  expect(stdout).toMatch(/^> 2 of 2, quiet: node/m);
});

test.each([
  ["fails and counts it", counted("3 passed, 2 failed", 1), "3 passed, 2 failed"],
  ["fails and does not count it", counted("3 passed, 0 failed", 1), "3 passed, 1 failed"],
  ["counts a failure and exits as if all were well", counted("3 passed, 1 failed", 0), "3 passed, 1 failed"],
  ["counts nothing", { ...counted(""), program: "" }, "0 passed, 1 failed"],
])("a counted step that %s makes the run fail", (_, step, line) => {
  expect(run(step, quiet)).toMatchObject({ status: 1, last: line });
});

test("a skipped step prints the reason and does not run", () => {
  const { stdout, status, last } = run(
    { ...counted("1 passed, 1 failed", 1), skip: "No data." },
    counted("3 passed, 0 failed"),
  );
  expect({ status, last }).toEqual({ status: 0, last: "3 passed, 0 failed" });
  expect(stdout).toContain("counted: left out. No data.");
});

test("a program that does not exist fails", () => {
  const url = new URL("../scripts/steps.mjs", import.meta.url).href;
  const main = join(folder, "missing.mjs");
  writeFileSync(
    main,
    `import { runSteps } from ${JSON.stringify(url)}; await runSteps([{ name: "x", command: ["no-such-program"] }]);`,
  );
  const { stdout } = spawnSync(process.execPath, [main], { encoding: "utf8" });
  expect(stdout.trimEnd().split("\n").at(-1)).toBe("0 passed, 1 failed");
});
