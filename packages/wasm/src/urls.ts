import { checks, DeviceError } from "@qkv/core";
import type { WasmDevice } from "./device.js";
import { open } from "./open.js";
import type { WasmOptions } from "./options.js";

/** URLs of files of this package, from a bundler or a server. */
export type WasmUrls = {
  /** `@qkv/wasm/plain.wasm` */
  plain: string | URL;
  /** `@qkv/wasm/relaxed.wasm`. Only one of the two binaries is fetched. */
  relaxed: string | URL;
  /** `@qkv/wasm/worker.js`. Default: workers start from a `blob:` URL. */
  worker?: string | URL;
};

/**
 * Creates the device of `wasm()` from files that you serve instead of the copies in the package's modules: for pages whose content
 * security policy allows only workers of their own origin, or that cache the files.
 *
 * @throws {DeviceError} If a file cannot be fetched, and in the cases of `wasm()`.
 *
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { createRequire } from "node:module";
 * import { wasmFrom } from "@qkv/wasm/urls";
 *
 * // In a page: import plain from "@qkv/wasm/plain.wasm?url", or what your bundler has for it.
 * const { resolve } = createRequire(import.meta.url);
 * const url = (file: string) => `data:application/wasm;base64,${readFileSync(resolve(file), "base64")}`;
 * const device = await wasmFrom({ plain: url("@qkv/wasm/plain.wasm"), relaxed: url("@qkv/wasm/relaxed.wasm") });
 * device.report().threads; // => 1
 * ```
 */
export async function wasmFrom(given: WasmUrls, options?: WasmOptions): Promise<WasmDevice> {
  const urls = checks("wasmFrom").options(given, ["plain", "relaxed", "worker"], "urls");
  const binary = async (build: "plain" | "relaxed"): Promise<Uint8Array<ArrayBuffer>> => {
    try {
      const response = await fetch(urls[build]);
      if (!response.ok) throw new Error(`the answer was ${response.status}`);
      return new Uint8Array(await response.arrayBuffer());
    } catch (cause) {
      throw new DeviceError({
        fn: "wasmFrom",
        argument: `urls.${build}`,
        received: String(urls[build]),
        expected: `an address that @qkv/wasm/${build}.wasm can be fetched from`,
        fix: "copy the file to where your pages are served from, or use `wasm()`, which needs no files.",
        cause,
      });
    }
  };
  return open("wasmFrom", { binary, workerUrl: urls.worker }, options);
}
