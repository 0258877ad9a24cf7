import { knownCheckpoints } from "@qkv/transformer";
import { expect, test } from "vitest";
import { run } from "../run.js";

async function recorded(argv: readonly string[]) {
  let out = "";
  const code = await run(argv, { out: { write: (text) => (out += text) }, color: false });
  return { code, out };
}

test("checkpoints prints one line for each known architecture", async () => {
  const { code, out } = await recorded(["checkpoints"]);
  expect(code).toBe(0);
  const lines = out.trimEnd().split("\n");
  expect(lines.map((line) => line.split(/ +/)).sort()).toEqual(
    knownCheckpoints()
      .map(({ name, format, loader }) => [name, format, loader])
      .sort(),
  );
  expect(out).toMatch(/^modernbert +config\.json +loadEncoder$/m);
});

test("with --json it prints the same list as JSON", async () => {
  const { out } = await recorded(["checkpoints", "--json"]);
  expect(JSON.parse(out)).toEqual(knownCheckpoints());
});
