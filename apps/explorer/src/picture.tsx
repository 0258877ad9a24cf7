import { defineElements, type PictureElement, type PictureName } from "@qkv/viz/elements";
import { createElement, useEffect, useRef, type ReactNode } from "react";

/** The arguments of a picture. */
export type PictureArgs<Name extends PictureName> = NonNullable<PictureElement<Name>["args"]>;

/** Marks an element with the sides on which its picture, which scrolls in a frame, goes on: they fade out. */
function markSides(host: HTMLElement): void {
  const frame = host.querySelector('[role="group"]');
  if (!frame) return;
  const { scrollLeft, scrollWidth, clientWidth } = frame;
  const sides = [scrollLeft > 1 && "left", scrollLeft + clientWidth < scrollWidth - 1 && "right"];
  host.dataset["more"] = sides.filter(Boolean).join(" ");
}

/** An element of `@qkv/viz` with its arguments; with `event`, what the reader chooses in it is heard. */
export function Picture<Name extends PictureName>({
  name,
  file,
  args,
  event,
  onChoose,
}: {
  name: Name;
  /** Name of the file that it is saved as. Default: that of the kind of picture. */
  file?: string;
  args: PictureArgs<Name>;
  event?: "headselect" | "cellselect";
  onChoose?: (detail: never) => void;
}): ReactNode {
  const place = useRef<PictureElement<Name>>(null);
  useEffect(() => {
    defineElements();
    if (!place.current) return;
    place.current.args = args;
    markSides(place.current);
  }, [args]);
  useEffect(() => {
    const host = place.current;
    if (!host) return;
    const mark = () => markSides(host);
    const sizes = new ResizeObserver(mark);
    sizes.observe(host);
    host.addEventListener("scroll", mark, { capture: true, passive: true });
    return () => {
      sizes.disconnect();
      host.removeEventListener("scroll", mark, { capture: true });
    };
  }, []);
  useEffect(() => {
    const element = place.current;
    if (!element || !event || !onChoose) return;
    const listen = (chosen: Event) => onChoose((chosen as CustomEvent).detail as never);
    element.addEventListener(event, listen);
    return () => element.removeEventListener(event, listen);
  }, [event, onChoose]);
  return createElement(name, { ref: place, download: file });
}
