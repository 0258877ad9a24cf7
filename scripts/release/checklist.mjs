// The checklist of a release, as in docs/releasing.md: the items that `npm run release:dry-run` checks, and those
// that only a person can do.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { asPublished } from "../not-published.mjs";
import { withCdnVersion } from "./cdn-addresses.mjs";

/** Done once, by a person with the accounts. */
export const byPerson = [
  "Organisation on npm",
  "Public repository",
  "Permissions of workflows",
  "GitHub Pages",
  "Reports of vulnerabilities",
  "Token for the first release",
  "First release",
  "Trusted publishers",
];

/**
 * @typedef {object} Release
 * @property {{ name: string, folder: string, json: Record<string, any> }[]} packages - Those that are published.
 * @property {Map<string, string>} versions - The next version of each package of the workspace.
 * @property {string} release - The text of the workflow that publishes.
 * @property {string} site - The text of the workflow that deploys the site.
 * @property {string} changesets - The version of `@changesets/cli`.
 * @property {string} provenance - The setting `provenance` of pnpm in the environment of the workflow.
 * @property {boolean} published - The flag of the repository's package.json.
 * @property {{ path: string, text: string, line: string }[]} readmes - With the line that says "not on npm yet".
 * @property {{ path: string, text: string }[]} readmesWithCdn
 */

/**
 * Each returns sentences that say what is wrong, or none.
 *
 * @type {Record<string, (release: Release) => string[]>}
 */
export const checks = {
  "Package manifests": ({ packages }) =>
    packages.flatMap(({ name, folder, json }) => {
      const wrong = [
        json.license === "MIT" || "`license` is MIT",
        json.publishConfig?.access === "public" || '`publishConfig.access` is "public"',
        json.repository?.url === "git+https://github.com/qkv-js/qkv.git" ||
          "`repository.url` is this repository",
        folder.replaceAll("\\", "/").endsWith(`/${json.repository?.directory}`) ||
          "`repository.directory` is its folder",
        ["dist", "CHANGELOG.md"].every((file) => json.files?.includes(file)) ||
          "`files` has dist and CHANGELOG.md",
        Boolean(json.description) || "`description` says what it does",
        existsSync(join(folder, "README.md")) || "it has a README",
      ];
      return wrong.filter((each) => each !== true).map((each) => `${name}: expected that ${each}`);
    }),

  "Version ranges": ({ packages, versions }) =>
    packages.flatMap(({ name, json }) =>
      Object.entries({ ...json.dependencies, ...json.peerDependencies })
        .filter(([sibling]) => versions.has(sibling))
        .flatMap(([sibling, range]) => [
          ...(packages.some((each) => each.name === sibling)
            ? []
            : [`${name} depends on ${sibling}, which is private: npm cannot install it`]),
          // A packed dependency is then ^ and the version that is released with it.
          ...(range === "workspace:^" ? [] : [`${name} depends on ${sibling} ${range}: write workspace:^`]),
        ]),
    ),

  "Workflow of releases": ({ release, changesets }) => {
    const action = Number(/changesets\/action@v(\d+)/.exec(release)?.[1]);
    const cli = Number(changesets.split(".")[0]);
    return [
      ...["contents", "pull-requests", "id-token"]
        .filter((scope) => !release.includes(`${scope}: write`))
        .map((scope) => `release.yml: it lacks the permission \`${scope}: write\``),
      ...["version-script", "publish-script"]
        .filter((input) => !release.includes(`${input}:`))
        .map((input) => `release.yml: changesets/action lacks the input \`${input}\``),
      ...(release.includes("if: github.repository == 'qkv-js/qkv'")
        ? []
        : ["release.yml: it would run in forks: add `if: github.repository == 'qkv-js/qkv'`"]),
      ...(action === cli - 1
        ? []
        : [`release.yml: Changesets ${cli} needs changesets/action@v${cli - 1}, and it has v${action}`]),
    ];
  },

  "Workflow of the site": ({ site }) =>
    ["pages: write", "id-token: write", "actions/upload-pages-artifact@", "actions/deploy-pages@"]
      .filter((part) => !site.includes(part))
      .map((part) => `site.yml: it lacks \`${part}\``),

  Provenance: ({ provenance }) =>
    provenance === "true"
      ? []
      : [
          `pnpm reads provenance = ${provenance} in the environment of release.yml: set PNPM_CONFIG_PROVENANCE`,
        ],

  "Line about npm in READMEs": ({ readmes, published }) =>
    readmes
      .filter(({ text, line }) => text !== asPublished(text, line, published))
      .map(({ path }) => `${path}: \`published\` is ${published}. Run \`node scripts/not-published.mjs\``),

  "Addresses of the CDN": ({ packages, readmesWithCdn }) => {
    const { version } = packages.find(({ name }) => name === "qkv").json;
    return readmesWithCdn
      .filter(({ text }) => text !== withCdnVersion(text, version))
      .map(({ path }) => `${path}: it names another version than qkv ${version}`);
  },
};
