// The guide "Run a checkpoint from Hugging Face" lists the architectures of the tables. checkpoints.slow.test.ts compares all.
import { expect, test } from "vitest";
import { checkpointNames, checkpointRow, readPage } from "../scripts/checkpoints.mjs";

test("the guide has the names of all architectures, and what a small Gemma 2 shows: npm run checkpoints writes it", async () => {
  const page = readPage();
  const rows = page.split("\n").filter((line) => line.startsWith("| `") && line.includes("<br/>"));
  const listed = rows.flatMap((line) =>
    [...line.split("<br/>")[0]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name),
  );
  expect(listed).toEqual(checkpointNames());
  expect(rows).toContain(await checkpointRow("gemma2"));
});
