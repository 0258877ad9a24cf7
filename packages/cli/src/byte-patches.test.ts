// The byte model of @qkv/model-tiny in the command; byte-patches.slow.test.ts measures its predictions and patches.
import { expect, test } from "vitest";
import { run } from "./run.js";

test("the command loads the byte model by its name", async () => {
  let out = "";
  const code = await run(["inspect", "@qkv/model-tiny/bytes", "--json"], {
    out: { write: (text) => (out += text) },
    err: { write: () => undefined },
    color: false,
  });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ embeddingParameters: 256 * 96 });
});
