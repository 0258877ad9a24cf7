/// <reference types="node" />
// An import of the built package does nothing. A GPU is asked for, and a native module loaded, by a call.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const built = fileURLToPath(new URL("../dist/index.js", import.meta.url));

const program = `
  const seen = [];
  Object.defineProperty(globalThis.navigator, "gpu", { get: () => void seen.push("navigator.gpu") });
  process.dlopen = () => { seen.push("a native module"); throw new Error("refused here"); };
  for (const name of ["compile", "instantiate"]) WebAssembly[name] = () => seen.push("WebAssembly." + name);
  const { webgpu } = await import(${JSON.stringify(built)});
  const imported = seen.splice(0);
  await webgpu().catch(() => undefined);
  console.log(JSON.stringify({ imported, opened: seen }));`;

test("an import asks for no GPU and compiles nothing", () => {
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  expect(JSON.parse(out)).toEqual({ imported: [], opened: ["navigator.gpu", "a native module"] });
});
