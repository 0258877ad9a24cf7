// The guide "Run a checkpoint from Hugging Face" lists the architectures of the tables.
import { expect, test } from "vitest";
import { checkpointPage, readPage } from "../scripts/checkpoints.mjs";

test("the guide lists every architecture with the abilities of a small model: npm run checkpoints writes it", async () => {
  expect(readPage()).toBe(await checkpointPage());
});
