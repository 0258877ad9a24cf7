export const about =
  "A user of each kind, for each package: Node, TypeScript, Vite, webpack, esbuild, Next.js, a plain page, a CDN, a clone, React, Vue, Svelte, Solid, Lit, workers, Deno, Bun, the templates of npm create; README examples run in fresh projects (installs 700 MB). Or only the kinds and packages that are named.";
export const takes = "[KIND|PACKAGE…]";

export const steps = (chosen) => [
  { name: "build", command: ["turbo", "run", "build", "--filter=./packages/*"] },
  { name: "install", command: ["node", "install/run.mjs", ...chosen], counts: true },
];
