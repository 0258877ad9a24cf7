// docs/releasing.md, and the checks of its list that `npm run release:dry-run` makes.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { allPackages } from "../scripts/packages.mjs";
import { withCdnVersion } from "../scripts/release/cdn-addresses.mjs";
import { byPerson, checks, type Release } from "../scripts/release/checklist.mjs";
import { releaseOf } from "../scripts/release/release-of.mjs";

const document = readFileSync(new URL("../docs/releasing.md", import.meta.url), "utf8");
const release = releaseOf(new Map(allPackages().map(({ name, json }) => [name, json.version as string])));

test("the document and the dry run name the same items", () => {
  const named = (item: RegExp) => [...document.matchAll(item)].map(([, name]) => name);
  expect(named(/^\d+\. \*\*(.+)\.\*\*/gm)).toEqual(byPerson);
  expect(named(/^- \*\*(.+)\.\*\*/gm)).toEqual(Object.keys(checks));
});

test.each(Object.entries(checks))("%s: as docs/releasing.md says", (_name, check) => {
  expect(check(release)).toEqual([]);
});

/** The release with another manifest of `@qkv/attention`. */
function withManifest(changes: Record<string, unknown>): Release {
  const packages = release.packages.map((each) =>
    each.name === "@qkv/attention" ? { ...each, json: { ...each.json, ...changes } } : each,
  );
  return { ...release, packages };
}
const readme = "https://cdn.jsdelivr.net/npm/qkv@0.1/dist/browser/qkv.js";

test.each<[string, Release, string]>([
  ["Package manifests", withManifest({ publishConfig: undefined }), "`publishConfig.access`"],
  ["Package manifests", withManifest({ license: "ISC" }), "`license`"],
  ["Package manifests", withManifest({ repository: { url: "x" } }), "`repository.url`"],
  ["Package manifests", withManifest({ files: ["dist"] }), "`files`"],
  ["Package manifests", withManifest({ description: "" }), "`description`"],
  ["Version ranges", withManifest({ dependencies: { "@qkv/core": "0.1.0" } }), "write workspace:^"],
  ["Version ranges", withManifest({ dependencies: { "@qkv/page": "workspace:^" } }), "which is private"],
  [
    "Workflow of releases",
    { ...release, release: release.release.replace("id-token: write", "") },
    "`id-token: write`",
  ],
  [
    "Workflow of releases",
    { ...release, release: release.release.replace("changesets/action@v2", "changesets/action@v1") },
    "needs changesets/action@v2",
  ],
  [
    "Workflow of releases",
    { ...release, release: release.release.replace("publish-script:", "publish:") },
    "`publish-script`",
  ],
  ["Workflow of releases", { ...release, release: release.release.replace(/^ +if: .*$/m, "") }, "in forks"],
  ["Workflow of the site", { ...release, site: release.site.replace("pages: write", "") }, "`pages: write`"],
  ["Provenance", { ...release, provenance: "undefined" }, "PNPM_CONFIG_PROVENANCE"],
  ["Line about npm in READMEs", { ...release, published: !release.published }, "scripts/not-published.mjs"],
  [
    "Addresses of the CDN",
    { ...release, readmesWithCdn: [{ path: "README.md", text: readme.replace("0.1", "0.99") }] },
    "names another version",
  ],
])("%s: a problem is found (%#)", (name, broken, problem) => {
  expect(checks[name]!(broken).join("\n")).toContain(problem);
});

test("addresses of the CDN name a version range, that of a minor before version 1", () => {
  expect(withCdnVersion(readme, "0.2.3")).toBe("https://cdn.jsdelivr.net/npm/qkv@0.2/dist/browser/qkv.js");
  expect(withCdnVersion(readme, "12.3.4")).toBe("https://cdn.jsdelivr.net/npm/qkv@12/dist/browser/qkv.js");
});
