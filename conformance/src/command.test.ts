import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { conformance } from "./command.js";
import { matMulCase, scratchData } from "./scratch-data.js";

/** Runs the command in a folder with a data folder `data`. */
async function typed(files: Record<string, unknown>, ...args: string[]) {
  const inData = Object.entries(files).map(([path, content]) => [`data/${path}`, content]);
  const cwd = scratchData(Object.fromEntries(inData));
  let [stdout, stderr] = ["", ""];
  const code = await conformance(args, {
    cwd,
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
  });
  return { code, stdout, stderr, cwd };
}

const good = {
  "onnx/matmul.json": [matMulCase("a")],
  "onnx/conv.json": [{ ...matMulCase("b"), op: "Conv" }],
};
const bad = { "onnx/matmul.json": [matMulCase("a"), matMulCase("b", 12)] };

test("prints a line per family, then the total; paths are relative to the current folder", async () => {
  const { code, stdout, stderr } = await typed(good, "--data", "data");
  expect(stdout).toBe(
    "conv: 0 passed, 0 failed, 1 skipped (1 skipped: operator Conv is not known yet)\n" +
      "  not known yet: onnx/conv.json, 1 case (operator Conv is not known yet)\n" +
      "matmul: 1 passed, 0 failed, 0 skipped (worst error 0 of 2e-5)\n" +
      "1 passed, 0 failed, 1 skipped\n",
  );
  expect(stderr).toBe("");
  expect(code).toBe(0);
});

test("a failing case prints its name, output, error and tolerance, and the exit code is 1", async () => {
  const { code, stdout } = await typed(bad, "--data", "data");
  expect(stdout).toBe(
    "matmul: 1 passed, 1 failed, 0 skipped (worst error 0.083 of 2e-5)\n" +
      "  FAILED b: differs\n" +
      "    product: error 0.083 of 2e-5\n" +
      "1 passed, 1 failed, 0 skipped\n",
  );
  expect(code).toBe(1);
});

test("--json only prints the JSON object to stdout; with a file, stdout has the lines", async () => {
  const alone = await typed(bad, "--data", "data", "--json");
  const object = JSON.parse(alone.stdout) as Record<string, unknown>;
  expect(object).toMatchObject({ device: "js", data: "data", passed: 1, failed: 1, skipped: 0 });
  expect(object["families"]).toMatchObject([{ family: "matmul", failures: [{ case: "b" }] }]);
  expect(alone.stderr.trimEnd().split("\n").at(-1)).toBe("1 passed, 1 failed, 0 skipped");
  expect(alone.code).toBe(1);

  const file = await typed(bad, "--data", "data", "--json", "out.json");
  expect(file.stdout.trimEnd().split("\n").at(-1)).toBe("1 passed, 1 failed, 0 skipped");
  expect(JSON.parse(readFileSync(join(file.cwd, "out.json"), "utf8"))).toEqual(object);
});

test("--only may be repeated, and fails for an unknown family", async () => {
  const both = await typed(good, "--data", "data", "--only", "matmul", "--only", "conv");
  expect(both.stdout).toContain("1 passed, 0 failed, 1 skipped\n");
  const one = await typed(good, "--data", "data", "--only", "matmul");
  expect(one.stdout).toContain("\n1 passed, 0 failed, 0 skipped\n");
  const none = await typed(good, "--data", "data", "--only", "attention");
  expect(none).toMatchObject({ code: 1, stdout: "" });
  expect(none.stderr).toContain("choose among conv, matmul.");
});

test("a wrong folder, device or option gives one message and exit code 1", async () => {
  for (const args of [
    ["--data", "elsewhere"],
    ["--data", "data", "--device", "abacus"],
    ["--data", "data", "--device", "js,threads=2"],
    ["--data", "data", "--json", "no/such/folder.json"],
    ["--data", "data", "--fast"],
  ]) {
    const { code, stderr } = await typed(good, ...args);
    expect(code).toBe(1);
    expect(stderr).not.toBe("");
    expect(stderr).not.toContain("    at ");
  }
});

test("without --data, reads the project's own packed data", async () => {
  const { code, stdout } = await typed({}, "--only", "planner", "--only", "softmax", "--json");
  expect(JSON.parse(stdout)).toMatchObject({
    data: "conformance/data",
    families: [
      { family: "softmax", passed: 4, failed: 0, skipped: 0 },
      { family: "planner", failed: 0 },
    ],
  });
  expect(code).toBe(0);
});

test("--help prints the options and succeeds", async () => {
  const { code, stdout } = await typed({}, "--help");
  expect(code).toBe(0);
  expect(stdout).toMatch(/--data[^]*--device[^]*--only[^]*--json/);
});
