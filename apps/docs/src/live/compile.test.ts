import { expect, test } from "vitest";
import { compile } from "./compile.js";

const modules = { "@qkv/tensor": "https://site/live/tensor.js", "@qkv/viz": "https://site/live/viz.js" };

test("types are removed, lines are preserved, package names become URLs", async () => {
  const source = `import { type Tensor, tensor } from "@qkv/tensor";
type Pair = {
  a: Tensor;
};
const x: Tensor = tensor([1], { shape: [1] });
export const viz = await import("@qkv/viz");
throw new Error(String(x));`;
  const code = await compile(source, modules);
  expect(code.split("\n").length).toBe(7);
  expect(code.split("\n")[0]).toBe('import { tensor } from "https://site/live/tensor.js";');
  expect(code.split("\n")[5]).toBe('export const viz = await import("https://site/live/viz.js");');
  expect(code).not.toContain("Tensor;");
});

test.each([
  [
    'const a = 1;\nimport x from "lodash"; x();',
    2,
    'Unknown module "lodash". Available modules: @qkv/tensor, @qkv/viz.',
  ],
  ['import "./other.js";', 1, 'Unknown module "./other.js"'],
  ["let a = 1;\nlet b = ;\n", 2, "Unexpected token"],
])("%j is refused at its line", async (source, line, message) => {
  await expect(compile(source, modules)).rejects.toMatchObject({
    line,
    message: expect.stringContaining(message),
  });
});
