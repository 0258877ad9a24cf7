import { knownModels } from "@qkv/cost/models";
import { deflateRawSync } from "node:zlib";
import { expect, test } from "vitest";
import { configFromHash, hashWithConfig } from "./link-config.js";

test("each known config round-trips through a link", async () => {
  for (const { config } of knownModels) {
    const text = typeof config === "string" ? config : JSON.stringify(config, null, 2);
    const hash = await hashWithConfig(text);
    expect(hash).toMatch(/^#config=[\w-]+$/);
    expect(hash.length).toBeLessThan(2_000);
    expect(JSON.parse((await configFromHash(hash))!)).toEqual(JSON.parse(text));
  }
});

test("a config that is too long is not written to a link", async () => {
  // Random text does not compress.
  const noise = Array.from({ length: 3_000 }, (_, i) => Math.sin(i + 1));
  expect(await hashWithConfig(JSON.stringify({ noise }))).toBe("");
});

test.each(["", "#cost", "#config=%%%", "#config=AAAA", `#config=${"A".repeat(7_000)}`])(
  "%j carries no config",
  async (hash) => expect(await configFromHash(hash)).toBe(undefined),
);

test("a short link that decompresses to too much text is ignored", async () => {
  const bomb = deflateRawSync("a".repeat(3_000_000)).toString("base64url");
  expect(bomb.length).toBeLessThan(6_000);
  expect(await configFromHash(`#config=${bomb}`)).toBe(undefined);
});
