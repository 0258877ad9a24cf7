// The tasks that turbo runs before the site is served or built.
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { publicPackages } from "../scripts/packages.mjs";

const tasksBefore = (task: string): string[] => {
  const plan = execFileSync("turbo", ["run", task, "--dry=json"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const { tasks } = JSON.parse(plan) as { tasks: { taskId: string }[] };
  return tasks.map(({ taskId }) => taskId);
};

test("the site's build has each published package: its API pages read their declarations", () => {
  const before = tasksBefore("docs#build");
  const missing = publicPackages().filter(({ name }) => !before.includes(`${name}#build`));
  expect(
    missing.map(({ name }) => name),
    "add NAME#build to `dependsOn` of the task in apps/docs/turbo.json",
  ).toEqual([]);
});

test("`npm start` waits for no package's build, only for the kernels in WebAssembly, which no checkout has", () => {
  expect(tasksBefore("docs#dev").sort()).toEqual(["@qkv/wasm#binaries", "docs#dev"]);
});
