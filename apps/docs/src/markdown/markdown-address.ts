/** The URL of a page's Markdown, beside its HTML. */
export function markdownAddress(page: string): string {
  const url = new URL(page);
  url.pathname = url.pathname.replace(/(index\.html)?$/, "").replace(/([^/])$/, "$1/");
  url.pathname += "index.md";
  url.search = url.hash = "";
  return url.href;
}
