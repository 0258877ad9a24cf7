import type { SidebarsConfig } from "@docusaurus/plugin-content-docs";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { course } from "./src/course/course";

// The course in its order, then what stands beside it, by `sidebar_position` and name.
const pages = readdirSync(join(__dirname, "lessons"))
  .filter((file) => file.endsWith(".mdx"))
  .map((file) => {
    const text = readFileSync(join(__dirname, "lessons", file), "utf8");
    return {
      id: file.slice(0, -".mdx".length),
      position: Number(/^sidebar_position: (\d+)/m.exec(text)?.[1] ?? 99),
    };
  });
const has = (id: string) => pages.some((page) => page.id === id);
const beside = pages
  .filter(({ id }) => id !== "index" && !course.some(({ slug }) => slug === id))
  .sort((a, b) => a.position - b.position || a.id.localeCompare(b.id));

const sidebars: SidebarsConfig = {
  learn: [
    {
      type: "category",
      label: "The course",
      collapsible: false,
      link: { type: "doc", id: "index" },
      items: course.filter(({ slug }) => has(slug)).map(({ slug }) => slug),
    },
    {
      type: "category",
      label: "Beside the course",
      collapsible: false,
      items: beside.map(({ id }) => id),
    },
  ],
};

export default sidebars;
