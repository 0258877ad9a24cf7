// The site, as built: how long the first map takes with a cold cache, how much JavaScript each page asks for, and how
// many clicks lie between the first page and one's own code. The site must be built: turbo run build --filter=docs.
import { openSite, sitePages } from "../../apps/docs/scripts/measure-site.mjs";

const ours = (prepare) => [{ name: "the site", kind: "ours", resident: "nothing", prepare }];
const measured = (id, unit, what) => ({
  id: `site/${id}`,
  unit,
  better: "low",
  contenders: ours(async () => {
    const opened = await openSite();
    process.once("exit", () => void opened.close());
    return { measure: () => opened[what]() };
  }),
});

export const rows = ({ browser }) => {
  const pages = sitePages();
  if (browser || !pages) return []; // it brings a browser of its own
  return [
    measured("first-map", "ms", "firstMap"),
    measured("first-picture", "ms", "firstPicture"),
    measured("clicks-to-own-code", "clicks", "clicks"),
    ...pages.map(({ path, javaScript }) => ({
      id: `site/javascript/${path || "first"}`,
      unit: "kB gzip",
      better: "low",
      contenders: ours(() => ({ measure: () => javaScript / 1000 })),
    })),
  ];
};
