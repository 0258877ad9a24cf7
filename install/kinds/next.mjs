// An application of Next.js: examples on its server and in its page, which the server renders first.
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { openPage } from "../browser.mjs";
import { examplesForPages, importsOf } from "../in-page.mjs";
import { readReport, reportLine } from "../project.mjs";
import { freePort } from "../registry.mjs";

const versions = ["next@16.4.6", "react@19.3.1", "react-dom@19.3.1"];
const next = "node_modules/next/dist/bin/next";

export async function run(project, { check, leftOut }) {
  const examples = examplesForPages(project, "Next.js", leftOut);
  if (!examples) return;
  await project.install(...versions);
  project.writeExamples(examples);
  const imports = importsOf(project.entries({ browser: true, peers: ["react"] })).replace(
    "./problems.js",
    "../problems.js",
  );
  project.write(
    "app/layout.js",
    `export default ({ children }) => <html lang="en"><body>{children}</body></html>;\n`,
  );
  project.write(
    "app/page.js",
    `${imports}export const dynamic = "force-dynamic";
export default async function Page() {
  const list = await problems();
  ${reportLine};
  return <p>{entries.length}</p>;
}
`,
  );
  project.write(
    "app/client/page.js",
    `"use client";
import { useEffect } from "react";
${imports.replace("../problems.js", "../../problems.js")}
export default function Page() {
  useEffect(() => {
    problems().then((list) => ${reportLine});
  }, []);
  return <p>{entries.length}</p>;
}
`,
  );
  await check("Next.js, built", () => project.run(process.execPath, [next, "build"]));
  const port = await freePort();
  const server = spawn(process.execPath, [next, "start", "-H", "127.0.0.1", "-p", String(port)], {
    cwd: project.folder,
    env: project.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (text) => (said += text));
  try {
    await check("Next.js, server", async () => {
      await answer(`http://127.0.0.1:${port}/`);
      readReport(said);
    });
    await check("Next.js, client", async () => readReport(await openPage(`http://127.0.0.1:${port}/client`)));
  } finally {
    server.kill();
  }
}

/** Waits until the server is up, and has answered. */
async function answer(url) {
  for (let tries = 0; tries < 3000; tries++) {
    const response = await fetch(url).catch(() => undefined);
    if (response) {
      await response.text();
      return;
    }
    await sleep(100);
  }
}
