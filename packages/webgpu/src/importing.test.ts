/// <reference types="node" />
// An import of the built package does nothing. Only a call requests a GPU and loads a native module.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const built = fileURLToPath(new URL("../dist/index.js", import.meta.url));

const program = `
  const events = [];
  Object.defineProperty(globalThis.navigator, "gpu", { get: () => void events.push("navigator.gpu") });
  process.dlopen = () => { events.push("a native module"); throw new Error("refused here"); };
  for (const name of ["compile", "instantiate"]) WebAssembly[name] = () => events.push("WebAssembly." + name);
  const { webgpu } = await import(${JSON.stringify(built)});
  const imported = events.splice(0);
  await webgpu().catch(() => undefined);
  console.log(JSON.stringify({ imported, opened: events }));`;

test("importing the package requests no GPU and compiles nothing", () => {
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  expect(JSON.parse(out)).toEqual({ imported: [], opened: ["navigator.gpu", "a native module"] });
});
