import Link from "@docusaurus/Link";
import { catalogue } from "@qkv/attention/catalogue";
import type { ReactNode } from "react";
import { FormulaText } from "./formula-text";

/** All mechanisms of `@qkv/attention` ordered by year, each with a link to its page. */
export function CatalogueTable(): ReactNode {
  return (
    <table>
      <thead>
        <tr>
          <th>mechanism</th>
          <th>year</th>
          <th>formula</th>
          <th>effect on the KV cache</th>
          <th>used by</th>
        </tr>
      </thead>
      <tbody>
        {catalogue
          .toSorted((a, b) => a.year - b.year)
          .map(({ name, title, year, formula, kvEffect, models, page }) => (
            <tr key={name}>
              <td>
                <Link to={`/reference/attention/${page}/`}>{title}</Link>
              </td>
              <td>{year}</td>
              <td>
                <FormulaText>{formula}</FormulaText>
              </td>
              <td>{kvEffect}</td>
              <td>{models.join(", ")}</td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}
