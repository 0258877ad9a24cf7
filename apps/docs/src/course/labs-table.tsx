import Link from "@docusaurus/Link";
import pages from "@site/.cache/pages.json";
import type { ReactNode } from "react";
import { labs } from "./labs";

/** All questions with the pages that answer them; a missing page is marked. */
export function LabsTable(): ReactNode {
  return (
    <table>
      <thead>
        <tr>
          <th>No.</th>
          <th>question</th>
          <th>answer</th>
        </tr>
      </thead>
      <tbody>
        {labs.map(({ row, asked, page, anchor }) => (
          <tr key={row} id={`row-${row}`}>
            <td>{row}</td>
            <td>{asked}</td>
            <td>
              {page in pages ? (
                <Link to={page + (anchor ? `#${anchor}` : "")}>{pages[page]}</Link>
              ) : (
                "not written yet"
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
