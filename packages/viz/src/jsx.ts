import type { HTMLAttributes, RefAttributes } from "react";
import type {
  CellSelectEvent,
  HeadSelectEvent,
  NodeSelectEvent,
  PictureElement,
  PictureName,
  WeightSelectEvent,
} from "./elements.js";

/**
 * Props of a picture as an element in JSX: `args`, the arguments of the function of the same name, or `src`, the address of a file with
 * them. React 19 sets `args` as a property; for React 18 a `ref` does. `onheadselect` of the head grid, `oncellselect` of the logit lens, of
 * patching, and of attention maps and arcs with a `selected` weight, and `onnodeselect` of the attribution graph are called when a reader chooses; React 18 listens by the `ref`, too.
 */
export type PictureElementProps<Name extends PictureName> = HTMLAttributes<HTMLElement> &
  RefAttributes<PictureElement<Name>> & {
    args?: PictureElement<Name>["args"];
    src?: string;
  } & (Name extends "qkv-head-grid" ? { onheadselect?: (event: HeadSelectEvent) => void } : unknown) &
  (Name extends "qkv-logit-lens" | "qkv-patching"
    ? { oncellselect?: (event: CellSelectEvent) => void }
    : unknown) &
  (Name extends "qkv-attention-map" | "qkv-token-arcs"
    ? { oncellselect?: (event: WeightSelectEvent) => void }
    : unknown) &
  (Name extends "qkv-attribution-graph" ? { onnodeselect?: (event: NodeSelectEvent) => void } : unknown);

type PictureElements = { [Name in PictureName]: PictureElementProps<Name> };

declare module "react" {
  // The way to add elements to the types of React.
  /* eslint-disable @typescript-eslint/no-namespace, @typescript-eslint/no-empty-object-type */
  namespace JSX {
    interface IntrinsicElements extends PictureElements {}
  }
}
