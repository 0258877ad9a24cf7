// The functions of a decode step from `attention` to a kernel, read from the stack at the start of the kernel.
import { attention } from "@qkv/attention";
import { randn } from "@qkv/tensor";
import { wasm } from "@qkv/wasm";
import { expect, test, vi } from "vitest";

/** The functions on the stack at each call of a WebAssembly export, from `attention` on. */
async function waysTo(entry: string) {
  const ways: string[][] = [];
  const instantiate = WebAssembly.instantiate;
  const spied = vi.spyOn(WebAssembly, "instantiate").mockImplementation((async (
    module: WebAssembly.Module,
    imports?: WebAssembly.Imports,
  ) => {
    const { exports } = await instantiate(module, imports);
    const original = exports[entry] as (...args: number[]) => number;
    const watched = (...args: number[]) => {
      const { stackTraceLimit } = Error;
      Error.stackTraceLimit = 50;
      const lines = new Error().stack!.split("\n").slice(2);
      Error.stackTraceLimit = stackTraceLimit;
      const names = lines.map(
        (line) => /at (?:Module\.|Object\.)?([\w.<>]+) \(/.exec(line)?.[1] ?? "(no name)",
      );
      ways.push([entry, ...names.slice(0, names.indexOf("attention") + 1)].toReversed());
      return original(...args);
    };
    return { exports: { ...exports, [entry]: watched } };
  }) as never);
  const device = await wasm({ threads: 1 });
  spied.mockRestore();
  return { device, ways };
}

test("a decode step calls at most three functions between attention and the kernel", async () => {
  const { device, ways } = await waysTo("attentionDecode");
  const query = randn([1, 4, 1, 16], { seed: 1, device });
  const key = randn([1, 2, 80, 16], { seed: 2, device });
  attention(query, key, key);
  expect(ways[0]).toEqual(["attention", "runNamed", "fusedAttention", "parallel", "attentionDecode"]);
});
