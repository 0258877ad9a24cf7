// The page "Run a checkpoint from Hugging Face" lists the architectures as their tables have them.
import { expect, test } from "vitest";
import { checkpointPage, readPage } from "../scripts/checkpoints.mjs";

test("the page lists every architecture with what a small model of it can do: npm run checkpoints writes it", async () => {
  expect(readPage()).toBe(await checkpointPage());
});
