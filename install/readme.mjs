// What the README of a package tells a user to do: what to install, and examples.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { codeBlocks } from "../tests/code-blocks.ts";
import { firstInstallPackages } from "../tests/install-commands.ts";

/**
 * @param {{ name: string, folder: string }} package_
 * @returns {{ install: string[], examples: { code: string, file: string, line: number }[] }} Names behind
 *   `npm install`; the examples in TypeScript and JavaScript, in order.
 * @throws {Error} If it does not say how to install the package.
 */
export function readReadme({ name, folder }) {
  const text = readFileSync(join(folder, "README.md"), "utf8");
  const file = `README of ${name}`;
  const install = firstInstallPackages(text);
  if (!install.includes(name)) throw new Error(`${file}: no line \`npm install … ${name} …\`.`);
  const examples = ["ts", "js"]
    .flatMap((language) => codeBlocks(text, file, 1, language))
    .sort((a, b) => a.line - b.line);
  return { install, examples };
}

/** Whether an example imports addresses of files, as Vite alone writes them: `import plain from "x.wasm?url"`. */
export function isForVite({ code }) {
  return /from "[^"]+\?url"/.test(code);
}
