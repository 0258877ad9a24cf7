import { lightCell } from "@qkv/viz/elements";
import { useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { CheckLine } from "./check-line";
import { PictureTools } from "./picture-tools";
import { safePicture } from "./safe-picture";
import type { Output } from "./session";
import styles from "./live.module.css";

/** Outputs of an example, in order. */
export function Outputs({ outputs, exercise }: { outputs: readonly Output[]; exercise: boolean }): ReactNode {
  return outputs.map((output, i) =>
    output.type === "picture" ? (
      <Picture key={i} svg={output.svg} />
    ) : output.type === "check" ? (
      <CheckLine key={i} {...output} exercise={exercise} />
    ) : (
      <pre key={i} className={styles.text} data-level={output.level}>
        {output.text}
      </pre>
    ),
  );
}

/** The minimum scale of a picture: its 12 px text is then 11 px high. */
const smallest = 11 / 12;

/**
 * A picture, with a line below it for the value under the pointer or the one selected with arrow keys. In a map, the row and the
 * column of the cell and their labels are highlighted.
 */
function Picture({ svg }: { svg: string }): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const [reading, setReading] = useState("");
  const chosen = useRef(-1);

  useLayoutEffect(() => {
    const picture = safePicture(svg);
    if (picture) picture.style.minWidth = `${smallest * Number(picture.getAttribute("width"))}px`;
    place.current?.replaceChildren(picture ?? "This chart could not be drawn.");
    chosen.current = -1;
    setReading("");
  }, [svg]);

  const marks = () => [...(place.current?.querySelectorAll("svg * > title") ?? [])];
  const read = (title: Element | null | undefined) => {
    const mark = title?.parentElement;
    place.current?.querySelector(".qkv-chosen")?.classList.remove("qkv-chosen");
    if (title && mark && mark.localName !== "svg") {
      mark.classList.add("qkv-chosen");
      setReading(lightCell(mark));
    }
  };
  const choose = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const all = marks();
    if (by === undefined || all.length === 0) return;
    event.preventDefault();
    const above = event.key === "ArrowDown" || event.key === "ArrowUp" ? rowLength(all) : 1;
    const next = chosen.current < 0 ? 0 : chosen.current + by * above;
    if (next < 0 || next >= all.length) return;
    chosen.current = next;
    read(all[next]);
  };

  return (
    <div className={styles.picture}>
      <div
        ref={place}
        tabIndex={0}
        role="group"
        aria-label="Chart. Use the arrow keys to read its values."
        onKeyDown={choose}
        onPointerOver={(event) => read((event.target as Element).querySelector(":scope > title"))}
      />
      <div className={styles.reading}>
        <span aria-live="polite">{reading || "\u00a0"}</span>
        <PictureTools svg={svg} element={() => place.current?.querySelector("svg") ?? undefined} />
      </div>
    </div>
  );
}

/** Number of marks in the first row: those with the same `y`. */
function rowLength(titles: Element[]): number {
  const top = (title: Element) => title.parentElement?.getAttribute("y");
  const first = titles[0] && top(titles[0]);
  const end = titles.findIndex((title) => top(title) !== first);
  return end > 0 ? end : 1;
}
