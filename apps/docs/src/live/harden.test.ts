import { expect, test, vi } from "vitest";
import { doors, harden, removed } from "./harden.js";

function scope() {
  const fetch = vi.fn(async (request: Request) => new Response(request.url));
  const inherited = Object.fromEntries([...removed, ...doors].map((name) => [name, () => {}]));
  const own = Object.assign(Object.create(inherited) as object, { fetch, importScripts: () => {} });
  harden(own as unknown as typeof globalThis, "https://site.example/qkv/");
  return { own: own as unknown as typeof globalThis & Record<string, unknown>, fetch };
}

test("stores, channels and other ways to a network are gone, wherever they hung", () => {
  const { own } = scope();
  for (const name of [...removed, ...doors]) expect(name in own, name).toBe(false);
});

test("files of the site are fetched, and nothing else", async () => {
  const { own, fetch } = scope();
  expect(await (await own.fetch("https://site.example/qkv/live/a.js")).text()).toContain("/qkv/live/a.js");
  for (const other of [
    "https://other.example/",
    "https://site.example/elsewhere",
    "https://site.example/qkv/../x",
  ]) {
    await expect(own.fetch(other)).rejects.toThrow("its own files only");
  }
  expect(fetch).toHaveBeenCalledTimes(1);
  expect(() => Object.defineProperty(own, "fetch", { value: fetch })).toThrow();
});
