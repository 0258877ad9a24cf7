/** A template for projects. */
export type ProjectTemplate = {
  /** Name on the command line. */
  readonly name: string;
  /** Short description. */
  readonly about: string;
  /** Commands that start the project, run in its folder. */
  readonly commands: readonly string[];
};

/**
 * All templates, in the order of the prompt.
 *
 * @example
 * ```ts
 * import { templates } from "create-qkv";
 *
 * templates.map(({ name }) => name); // => ["vite", "next", "node", "worker", "html"]
 * ```
 */
export const templates: readonly ProjectTemplate[] = [
  {
    name: "vite",
    about: "a page that writes, with Vite and TypeScript",
    commands: ["npm install", "npm run dev"],
  },
  {
    name: "next",
    about: "a chat with Next.js, whose answers show their attention",
    commands: ["npm install", "npm run dev"],
  },
  { name: "node", about: "a service for Node that streams text", commands: ["npm install", "npm start"] },
  {
    name: "worker",
    about: "a page whose model runs in a worker, with Vite and TypeScript",
    commands: ["npm install", "npm run dev"],
  },
  { name: "html", about: "one HTML file, without a build", commands: ["open index.html in a browser"] },
];
