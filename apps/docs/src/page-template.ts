// Makes pages paint before their scripts run. Docusaurus runs scripts before the first paint if they arrive early, from
// a cache or a near server. Here they load immediately, and run in order after the first paint, or if the page is
// hidden.
const runAfterPaint = `
(() => {
  const begin = () => {
    clearTimeout(late);
    painted?.disconnect();
    for (const { href } of document.querySelectorAll("link[data-script]")) {
      const script = document.createElement("script");
      script.src = href;
      script.async = false;
      document.head.append(script);
    }
  };
  const late = setTimeout(begin, document.hidden ? 0 : 2000);
  const painted = self.PerformanceObserver && new PerformanceObserver((list) => {
    if (list.getEntriesByName("first-contentful-paint").length > 0) begin();
  });
  painted?.observe({ type: "paint", buffered: true });
})();
`;

/** The HTML document of each page, a template of https://eta.js.org that Docusaurus fills in. */
export const pageTemplate = `
<!DOCTYPE html>
<html <%~ it.htmlAttributes %>>
  <head>
    <meta charset="UTF-8">
    <meta name="generator" content="Docusaurus v<%= it.version %>">
    <% it.metaAttributes.forEach((metaAttribute) => { %>
      <%~ metaAttribute %>
    <% }); %>
    <%~ it.headTags %>
    <% it.stylesheets.forEach((stylesheet) => { %>
      <link rel="stylesheet" href="<%= it.baseUrl %><%= stylesheet %>" />
    <% }); %>
    <% it.scripts.forEach((script) => { %>
      <link rel="preload" as="script" fetchpriority="low" data-script href="<%= it.baseUrl %><%= script %>" />
    <% }); %>
    <script>${runAfterPaint}</script>
  </head>
  <body <%~ it.bodyAttributes %>>
    <%~ it.preBodyTags %>
    <div id="__docusaurus"><%~ it.appHtml %></div>
    <%~ it.postBodyTags %>
  </body>
</html>
`;
