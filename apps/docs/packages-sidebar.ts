import type { SidebarsConfig } from "@docusaurus/plugin-content-docs";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageOrder } from "./src/package-order.mts";

// A package without a README is not listed.
const has = (name: string, file: string) => existsSync(join(__dirname, "../../packages", name, file));
const descriptionOf = (name: string): string =>
  JSON.parse(readFileSync(join(__dirname, "../../packages", name, "package.json"), "utf8")).description;

/** A package: its README, with its changelog below. */
const packageItem = (name: string) => {
  const label = name === "cli" ? "qkv" : name;
  const readme = { type: "doc" as const, id: `${name}/README` };
  if (!has(name, "CHANGELOG.md")) return { ...readme, label };
  return {
    type: "category" as const,
    label,
    description: descriptionOf(name),
    link: readme,
    items: [{ type: "doc" as const, id: `${name}/CHANGELOG`, label: "Changes" }],
  };
};

const sidebars: SidebarsConfig = {
  packages: [
    {
      type: "category",
      label: "Packages",
      collapsible: false,
      link: {
        type: "generated-index",
        slug: "/",
        title: "Packages",
        description: "Small npm packages, installed one by one. Each page is that package's own README.",
      },
      items: packageOrder.filter((name) => has(name, "README.md")).map(packageItem),
    },
  ],
};

export default sidebars;
