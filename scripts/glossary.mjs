// Writes the site's page of the glossary from docs/glossary.md: node scripts/glossary.mjs
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const source = new URL("../docs/glossary.md", import.meta.url);
const page = new URL("../apps/docs/proof/glossary.mdx", import.meta.url);

/**
 * The terms in order, each with its section.
 *
 * @returns {{ section: string, term: string, meaning: string, names: string[] }[]}
 */
export function terms() {
  const sections = readFileSync(source, "utf8").split(/^## /m).slice(1);
  return sections.flatMap((text) => {
    const section = text.slice(0, text.indexOf("\n"));
    const rows = [...text.matchAll(/^\| (.*?) \| (.*?) \| (.*?) \|$/gm)].slice(2); // after the head and its line
    return rows.map(([, term, meaning, code]) => ({
      section,
      term,
      meaning,
      names: [...code.matchAll(/`([^`]+)`/g)].map(([, name]) => name),
    }));
  });
}

/** The page: front matter, the example, and a heading for each term, so that pages can link to it. */
export function glossaryPage() {
  const heads = `---
title: Glossary
slug: glossary
sidebar_position: 2
description: Definitions of attention and transformer terms, each with its name in code.
---

{/* Made from docs/glossary.md by scripts/glossary.mjs. */}

# Glossary of attention terms

Each term has one meaning, in code, in error messages and on every page.

<Live example="glossary" />
`;
  let last;
  const parts = terms().map(({ section, term, meaning, names }) => {
    const head = section === last ? "" : `\n## ${section}\n`;
    last = section;
    return `${head}\n### ${term}\n\n${meaning} In code: ${names.map((name) => `\`${name}\``).join(", ")}.\n`;
  });
  return heads + parts.join("");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(page, glossaryPage());
