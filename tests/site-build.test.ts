// `npm start` in a fresh clone: the site's API pages read the built declarations of each published package.
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { publicPackages } from "../scripts/packages.mjs";

test.each(["dev", "build"])("turbo run %s --filter=docs builds each published package first", (task) => {
  const plan = execFileSync("turbo", ["run", task, "--filter=docs", "--dry=json"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const { tasks } = JSON.parse(plan) as { tasks: { taskId: string }[] };
  const missing = publicPackages().filter(
    ({ name }) => !tasks.some(({ taskId }) => taskId === `${name}#build`),
  );
  expect(
    missing.map(({ name }) => name),
    "add NAME#build to `dependsOn` of both tasks in apps/docs/turbo.json",
  ).toEqual([]);
});
