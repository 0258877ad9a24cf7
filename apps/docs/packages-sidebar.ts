import type { SidebarsConfig } from "@docusaurus/plugin-content-docs";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { packageOrder } from "./src/package-order.mts";

// A package without a README yet is not listed.
const has = (name: string, file: string) => existsSync(join(__dirname, "../../packages", name, file));

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
      items: packageOrder
        .filter((name) => has(name, "README.md"))
        .flatMap((name) => [
          { type: "doc" as const, id: `${name}/README`, label: name === "cli" ? "qkv" : `@qkv/${name}` },
          ...(has(name, "CHANGELOG.md")
            ? [{ type: "doc" as const, id: `${name}/CHANGELOG`, label: `Changes of ${name}` }]
            : []),
        ]),
    },
  ],
};

export default sidebars;
