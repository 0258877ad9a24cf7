import type { CheckResult } from "@qkv/device/check";
import { expect, test } from "vitest";
import { begun, nothingYet, reportText, stateAfter } from "./check-state";
import type { CheckNews } from "./messages";

const result = (subject: string, error: number | null): CheckResult => ({
  subject,
  case: "matmul, one row",
  finds: "mistakes of the kernel for one row (decoding)",
  error,
  tolerance: 1e-4,
  passed: error !== null && error <= 1e-4,
  ...(error === null && { message: "NaN at 3" }),
});

const news: CheckNews[] = [
  { type: "begins", subject: "webgpu" },
  { type: "adapter", subject: "webgpu", name: "acme one", software: true },
  { type: "result", result: result("webgpu", 2e-7) },
  { type: "begins", subject: "gpu:webgl2" },
  { type: "left-out", subject: "gpu:webgl2", reason: "no WebGL2" },
  { type: "begins", subject: "js" },
  { type: "result", result: result("js", null) },
  { type: "done" },
];

test("a report has the adapter, skipped cases, and a column for each subject", () => {
  const state = news.reduce(stateAfter, begun(nothingYet, ["webgpu", "gpu:webgl2", "js"]));
  expect(state.status).toBe("done");
  const text = reportText(state, ["browser: test"]);
  expect(text).toContain(
    "adapter: acme one (software on the CPU)\nbrowser: test\nleft out: gpu:webgl2: no WebGL2\n",
  );
  expect(text).toMatch(/\| case +\| webgpu +\| js +\|/);
  expect(text).toMatch(/\| matmul, one row \| 2\.0e-7 \| FAILED \|/);
  expect(text).toMatch(/1 of 2 passed\n$/);
});

test("another check keeps the columns of other subjects and clears its own", () => {
  const before = news.reduce(stateAfter, begun(nothingYet, ["webgpu", "gpu:webgl2", "js"]));
  const state = begun(before, ["js", "gpu:webgl2"]);
  expect(state.results.map(({ subject }) => subject)).toEqual(["webgpu"]);
  expect(state.leftOut).toEqual([]);
  expect(state.adapters).toHaveLength(1);
  expect(state.status).toBe("running");
});

test("the report states that there is no adapter", () => {
  expect(reportText(nothingYet, [])).toBe("adapter: none\n\n0 of 0 passed\n");
});
