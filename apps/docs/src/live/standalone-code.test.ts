import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as page from "@qkv/page";
import { expect, test } from "vitest";
import { standaloneCode } from "./standalone-code";

const folder = fileURLToPath(new URL("../../examples/", import.meta.url));
const examples = readdirSync(folder)
  .filter((file) => file.endsWith(".ts"))
  .map((file) => [file, readFileSync(folder + file, "utf8")] as const);

/** Printed lines of code, and its value. */
function run(code: string): { printed: unknown[][]; value: unknown } {
  const printed: unknown[][] = [];
  const console = { log: (...values: unknown[]) => printed.push(values) };
  const value: unknown = new Function("console", code)(console);
  return { printed, value };
}

test("no example imports the site's package, and each of its names is defined once", () => {
  expect(examples.length).toBeGreaterThan(100);
  for (const [file, code] of examples) {
    const own = standaloneCode(code);
    expect(own, file).not.toContain('"@qkv/page"');
    expect(own, file).not.toContain("undefined\n");
    for (const [, names] of code.matchAll(/import \{([^}]*)\} from "@qkv\/page"/g))
      for (const name of names!
        .split(",")
        .map((name) => name.trim())
        .filter(Boolean))
        expect(own.split(`const ${name} = `).length, `${file}: ${name}`).toBe(2);
  }
});

test("every name that an example may import has a definition", () => {
  const names = Object.keys(page).filter((name) => !["connect", "valueText"].includes(name));
  const code = standaloneCode(`import { ${names.join(", ")} } from "@qkv/page";`);
  expect(code.split("\n").length).toBe(names.length);
  expect(code).not.toContain("undefined");
});

test("results are printed, and controls have their initial values", () => {
  const code = (body: string) =>
    standaloneCode(
      `import { check, choice, fileField, print, show, slider, textField } from "@qkv/page";\n${body}`,
    );
  expect(run(code('print("a", 1); show([2]); return check("b", false);'))).toEqual({
    printed: [["a", 1], [[2]], ["✗", "b"]],
    value: false,
  });
  const controls =
    'return [slider("a", { min: 1, max: 9, value: 4 }), choice("b", [5, 6]), choice("b", [5, 6], { value: 6 }), ' +
    'textField("c", { value: "d" }), fileField("e")];';
  expect(run(code(controls)).value).toEqual([4, 5, 6, "d", []]);
  expect(standaloneCode('import { add } from "@qkv/tensor";\n')).toBe('import { add } from "@qkv/tensor";\n');
});
