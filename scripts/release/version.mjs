// Writes the next versions and changelogs (`changeset version`), and the addresses in READMEs that name a version. The
// release workflow runs it, and opens a pull request with what changed.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { publicPackages } from "../packages.mjs";
import { readmesWithCdn, withCdnVersion } from "./cdn-addresses.mjs";
import { changesetProgram } from "./copy-of-release.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
execFileSync(process.execPath, [changesetProgram, "version"], { cwd: root, stdio: "inherit" });
const { version } = publicPackages().find(({ name }) => name === "qkv").json;
for (const path of readmesWithCdn) writeFileSync(path, withCdnVersion(readFileSync(path, "utf8"), version));
