// The built site: the time of the first map with a cold cache, the JavaScript that each page loads, and the clicks from
// the first page to running custom code. Needs the built site: turbo run build --filter=docs.
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
  if (browser || !pages) return []; // this suite starts a browser itself
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
