import { tableOf } from "@qkv/viz";
import { clearLight } from "@qkv/viz/elements";
import { useState, type ReactNode } from "react";
import styles from "./live.module.css";

/** Tools for a picture: its data as a table, and the picture as a file. */
export function PictureTools({
  svg,
  element,
}: {
  svg: string;
  element: () => SVGSVGElement | undefined;
}): ReactNode {
  const [table, setTable] = useState(false);
  const save = async (kind: "svg" | "png") => {
    const shown = element();
    if (!shown) return;
    const link = document.createElement("a");
    const text = new XMLSerializer().serializeToString(inColors(shown));
    const blob = new Blob([text], { type: "image/svg+xml" });
    link.href = URL.createObjectURL(kind === "svg" ? blob : await pngOf(blob, shown));
    link.download = `qkv-picture.${kind}`;
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return (
    <>
      <span className={styles.tools}>
        <button type="button" aria-expanded={table} onClick={() => setTable(!table)}>
          Table
        </button>
        <button type="button" onClick={() => void save("svg")}>
          SVG
        </button>
        <button type="button" onClick={() => void save("png")}>
          PNG
        </button>
      </span>
      {table && <PictureAsTable svg={svg} />}
    </>
  );
}

const most = 400;

function PictureAsTable({ svg }: { svg: string }): ReactNode {
  const { title, description, rows } = tableOf(svg);
  return (
    <div className={styles.table} tabIndex={0}>
      <table>
        <caption>
          {title}. {description}
        </caption>
        <tbody>
          {rows.slice(0, most).map(({ name, value }, i) => (
            <tr key={i}>
              <th scope="row">{name}</th>
              <td>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > most && <p>… {rows.length} rows in total.</p>}
    </div>
  );
}

/** A copy with the colors of the page's theme inlined: a file has no style sheet. */
function inColors(shown: SVGSVGElement): SVGSVGElement {
  clearLight(shown);
  const copy = shown.cloneNode(true) as SVGSVGElement;
  const [from, to] = [shown.querySelectorAll("*"), copy.querySelectorAll("*")];
  from.forEach((element, i) => {
    const style = getComputedStyle(element);
    for (const name of ["fill", "stroke"] as const) {
      if (element.hasAttribute(name)) to[i]?.setAttribute(name, style[name]);
    }
  });
  copy.querySelector("style")?.remove();
  copy.setAttribute("font-family", "ui-sans-serif, system-ui, sans-serif");
  copy.setAttribute("font-size", "12");
  return copy;
}

/** The picture as a PNG at twice its size. */
async function pngOf(svg: Blob, { viewBox }: SVGSVGElement): Promise<Blob> {
  const image = new Image();
  image.src = URL.createObjectURL(svg);
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [2 * viewBox.baseVal.width, 2 * viewBox.baseVal.height];
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"),
  );
}
