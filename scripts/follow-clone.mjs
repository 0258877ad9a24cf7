// Follows the section "Install from a clone" of the README to the letter, with no package of ours in a registry.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");
const blocksOf = (text, language) =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}(?: .*)?\\n(.*?)^\`\`\`$`, "gms"))].map(([, code]) => code);

/** The commands of the section: those that make a clone and install `qkv`, and those for the other packages. */
export function commandsOfClone(text = readme) {
  const [, section] = /^## Install from a clone\n(.*?)^## /ms.exec(text) ?? [];
  const [inEmptyFolder, others] = blocksOf(section ?? "", "sh");
  if (!others) throw new Error('README.md: the section "Install from a clone" has two blocks of commands.');
  return { inEmptyFolder, others };
}

/** Replaces the addresses of the CDN in the README's page and worker, as the section says. */
export function withoutCdn(code) {
  const [, own] = /write `(\.\/node_modules\/[^`]+)` for the address of the CDN/.exec(readme);
  return code.replaceAll(/https:\/\/cdn\.jsdelivr\.net\/npm\/qkv@[\d.]+\/dist\/browser\/qkv\.js/g, own);
}

/**
 * Runs the commands in an empty folder.
 *
 * @param {string} outside - The folder, which gets `qkv`, `my-app` and `alone`.
 * @param {{ check: (what: string, run: () => Promise<void> | void) => Promise<void>, env?: NodeJS.ProcessEnv,
 *   pack?: (folder: string) => void }} options - `pack`: writes `qkv/packed` instead of the first two commands, which
 *   clone the last commit and build it.
 */
export async function followClone(outside, { check, env = process.env, pack }) {
  const { inEmptyFolder, others } = commandsOfClone();
  const lines = inEmptyFolder.trimEnd().split("\n");
  const story = /console\.log\(story\); \/\/ => "(.*)"$/m.exec(readme)[1];
  const shell = (script, cwd) =>
    execFileSync("sh", ["-ec", script], {
      cwd,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...env,
        npm_config_yes: "true", // what npx asks before it installs
        npm_config_fund: "false",
        npm_config_audit: "false",
        npm_config_update_notifier: "false",
        // The address in the README is this repository.
        GIT_CONFIG_COUNT: "1",
        GIT_CONFIG_KEY_0: `url.${root}.insteadOf`,
        GIT_CONFIG_VALUE_0: "https://github.com/qkv-js/qkv.git",
      },
    });
  const app = join(outside, "my-app");
  await check("from a clone: the commands of the README", () => {
    if (pack) {
      const expected = /^git clone https:\/\/github\.com\/qkv-js\/qkv\.git\n\(cd qkv && npm run pack\)/;
      if (!expected.test(inEmptyFolder))
        throw new Error(`README.md does not begin with a clone:\n${inEmptyFolder}`);
      pack(join(outside, "qkv", "packed"));
    }
    const written = shell(lines.slice(pack ? 2 : 0).join("\n"), outside);
    if (!pack && !/^npm install ".*\/qkv\/packed\/qkv\.tgz"$/m.test(written))
      throw new Error(`\`npm run pack\` does not say how to install what it packed:\n${written}`);
    noneFromRegistry(app);
  });
  await check("from a clone: the README's first example, and the command", () => {
    writeFileSync(join(app, "first.mjs"), blocksOf(readme, "ts")[0]);
    const written = shell("node first.mjs", app).trimEnd().split("\n").at(-1);
    if (written !== story) throw new Error(`expected ${story}, found ${written}`);
    const generated = shell('npx qkv generate --prompt "Once upon a time"', app);
    if (!generated.startsWith("Once upon a time")) throw new Error(`qkv wrote ${generated}`);
  });
  await check("from a clone: single packages, and a project from a template", () => {
    const alone = join(outside, "alone");
    mkdirSync(alone);
    shell(others, alone);
    noneFromRegistry(alone);
    const use =
      'import { causal } from "@qkv/attention"; import { randn } from "@qkv/tensor"; causal(); randn([1], { seed: 1 });';
    writeFileSync(join(alone, "use.mjs"), use);
    shell("node use.mjs", alone);
    const { qkv } = JSON.parse(readFileSync(join(alone, "my-page", "package.json"), "utf8")).dependencies;
    if (!existsSync(qkv.replace(/^file:/, ""))) throw new Error(`the project depends on qkv ${qkv}`);
    if (!pack) shell("npm install --ignore-scripts && npm run build", join(alone, "my-page"));
  });
}

/** Every package of ours is a tarball of the clone. */
function noneFromRegistry(folder) {
  const { packages } = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));
  const ours = Object.entries(packages).filter(([path]) => /node_modules\/(qkv|@qkv\/[^/]+)$/.test(path));
  const others = ours.filter(([, { resolved }]) => !resolved.startsWith("file:../qkv/packed/"));
  if (ours.length === 0 || others.length > 0)
    throw new Error(
      `not from the clone: ${others.map(([path]) => path).join(", ") || "nothing was installed"}`,
    );
}
