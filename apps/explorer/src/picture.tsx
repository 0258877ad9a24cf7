import { defineElements, type PictureElement, type PictureName } from "@qkv/viz/elements";
import { createElement, useEffect, useRef, type ReactNode } from "react";

/** The arguments of a picture. */
export type PictureArgs<Name extends PictureName> = NonNullable<PictureElement<Name>["args"]>;

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
    if (place.current) place.current.args = args;
  }, [args]);
  useEffect(() => {
    const element = place.current;
    if (!element || !event || !onChoose) return;
    const listen = (chosen: Event) => onChoose((chosen as CustomEvent).detail as never);
    element.addEventListener(event, listen);
    return () => element.removeEventListener(event, listen);
  }, [event, onChoose]);
  return createElement(name, { ref: place, download: file });
}
