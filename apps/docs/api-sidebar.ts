import type { SidebarsConfig } from "@docusaurus/plugin-content-docs";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageOrder } from "./src/package-order.mts";

/** A package, with a page for each entry point that has types and names of its own, in the order of `exports`. */
const pagesOf = (folder: string) => {
  const file = join(__dirname, "../../packages", folder, "package.json");
  const { name, exports }: { name: string; exports: Record<string, { import?: { types?: string } }> } =
    JSON.parse(readFileSync(file, "utf8"));
  const parts = Object.keys(exports).filter((entry) => {
    const types = exports[entry]?.import?.types;
    return entry !== "." && types && !types.startsWith("./dist/subpaths/");
  });
  const doc = (entry: string) => ({ type: "doc" as const, id: `${name}/${entry}` });
  const label = name.replace("@qkv/", "");
  if (parts.length === 0) return { ...doc("index"), label };
  return {
    type: "category" as const,
    label,
    link: doc("index"),
    items: parts.map((entry) => ({
      ...doc(entry.slice(2)),
      label: label + entry.slice(1),
    })),
  };
};

const sidebars: SidebarsConfig = { api: ["index", ...packageOrder.map(pagesOf)] };

export default sidebars;
