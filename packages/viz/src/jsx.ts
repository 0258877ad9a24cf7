import type { HTMLAttributes, RefAttributes } from "react";
import type { HeadSelectEvent, PictureElement, PictureName } from "./elements.js";

/**
 * Props of a picture as an element in JSX: `args`, the arguments of the function of the same name. React 19 sets it as a property;
 * for React 18 a `ref` does. `onheadselect` of the head grid is called when a reader chooses a head; React 18 listens by the `ref`, too.
 */
export type PictureElementProps<Name extends PictureName> = HTMLAttributes<HTMLElement> &
  RefAttributes<PictureElement<Name>> & {
    args?: PictureElement<Name>["args"];
  } & (Name extends "qkv-head-grid" ? { onheadselect?: (event: HeadSelectEvent) => void } : unknown);

type PictureElements = { [Name in PictureName]: PictureElementProps<Name> };

declare module "react" {
  // React's types of elements are extended in this way.
  /* eslint-disable @typescript-eslint/no-namespace, @typescript-eslint/no-empty-object-type */
  namespace JSX {
    interface IntrinsicElements extends PictureElements {}
  }
}
