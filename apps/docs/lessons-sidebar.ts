import type { SidebarsConfig } from "@docusaurus/plugin-content-docs";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { course } from "./src/course/course";

// The evolution of attention, the course in order, then the other pages by `sidebar_position` and name.
const pages = readdirSync(join(__dirname, "lessons"))
  .filter((file) => file.endsWith(".mdx"))
  .map((file) => {
    const text = readFileSync(join(__dirname, "lessons", file), "utf8");
    return {
      id: file.slice(0, -".mdx".length),
      position: Number(/^sidebar_position: (\d+)/m.exec(text)?.[1] ?? 99),
    };
  });
const story = "evolution";
const has = (id: string) => pages.some((page) => page.id === id);
const more = pages
  .filter(({ id }) => id !== "index" && id !== story && !course.some(({ slug }) => slug === id))
  .sort((a, b) => a.position - b.position || a.id.localeCompare(b.id));

const sidebars: SidebarsConfig = {
  learn: [
    { type: "category", label: "The story", collapsible: false, items: [story] },
    {
      type: "category",
      label: "The course",
      collapsible: false,
      link: { type: "doc", id: "index" },
      items: course.filter(({ slug }) => has(slug)).map(({ slug }) => slug),
    },
    {
      type: "category",
      label: "More topics",
      collapsible: false,
      items: more.map(({ id }) => id),
    },
    { type: "link", label: "Reference", href: "/reference/" },
    { type: "link", label: "Guides", href: "/guides/" },
    { type: "link", label: "Proof", href: "/proof/" },
  ],
};

export default sidebars;
