import { expect, test } from "vitest";
import { isPicture, picture } from "./picture.js";

test("a picture has a role, a title and a description, and `isPicture` accepts it", () => {
  const svg = picture({ width: 10.2, height: 5, title: "a & b", description: "<c>", body: [] });
  expect(svg).toContain('role="img" width="11" height="5" viewBox="0 0 11 5"');
  expect(svg).toContain("<title>a &amp; b</title>\n<desc>&lt;c&gt;</desc>");
  expect(isPicture(svg)).toBe(true);
});

test.each(["text", "<svg", "<svgx></svg>", "see <svg></svg>", 3, null, {}])("%j is no picture", (value) => {
  expect(isPicture(value)).toBe(false);
});
