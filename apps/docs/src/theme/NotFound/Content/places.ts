/** Suggested pages, the most likely first. */
export const places = [
  { to: "/search/", name: "Search", text: "find a page, a function or a term" },
  { to: "/", name: "Home", text: "see attention work on a sentence of yours" },
  { to: "/learn/", name: "The course", text: "twelve lessons with code that runs" },
  { to: "/learn/evolution/", name: "The evolution of attention", text: "from 2014 to today" },
  { to: "/reference/", name: "Reference", text: "every mechanism, operation and cache" },
  { to: "/guides/", name: "Guides", text: "from a task to code that works" },
  { to: "/proof/", name: "Proof", text: "corrections, comparisons and benchmarks" },
] as const;
