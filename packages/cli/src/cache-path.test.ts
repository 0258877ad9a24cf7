import fc from "fast-check";
import { expect, test } from "vitest";
import { cachePath } from "./cache-path.js";

const at = (address: string) => cachePath("/cache", new URL(address)).replaceAll("\\", "/");

test("a plain URL is cached under its scheme, host and path", () => {
  expect(at("https://huggingface.co/owner/name/resolve/main/")).toBe(
    "/cache/https/huggingface.co/owner/name/resolve/main",
  );
});

test("scheme, query and special characters are part of the path: no two URLs share a file", () => {
  const addresses = [
    "https://host/a/x.gguf",
    "http://host/a/x.gguf",
    "https://host/a/x.gguf?revision=1",
    "https://host/a/x.gguf?revision=2",
    "https://host:8443/a/x.gguf",
    "https://host/a%20b/x.gguf",
    "https://host/a_20b/x.gguf",
    "https://host/a+b/x.gguf",
    "https://host/a_b/x.gguf",
    "https://host/a//x.gguf",
    "https://host//a/x.gguf",
  ];
  expect(new Set(addresses.map(at)).size).toBe(addresses.length);
  // The loader goes by the ending; a login in a query is not written to the disk.
  for (const address of addresses) expect(at(address)).toMatch(/x\.gguf$/);
  expect(at("https://host/x.gguf?token=secret")).not.toContain("secret");
});

test("property: the path of any URL is inside the cache folder", () => {
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true }), fc.string(), (address, more) => {
      expect(at(`${address}/${more}`).startsWith("/cache/http")).toBe(true);
    }),
  );
});
