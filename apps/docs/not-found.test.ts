import { expect, test } from "vitest";
import { pages } from "./scripts/pages.mjs";
import { places } from "./src/theme/NotFound/Content/places";

test("the page for a wrong address leads to search, landing page, course, reference and guides", () => {
  const to = places.map((place) => place.to);
  expect(to).toEqual(expect.arrayContaining(["/search/", "/", "/learn/", "/reference/", "/guides/"]));
});

test("each of its links has a page", () => {
  // The landing page and the search are the site's own, beside the pages written by hand.
  const known = new Set(["/", "/search/", ...pages().map(({ path }) => path)]);
  expect(places.filter(({ to }) => !known.has(to))).toEqual([]);
});
