/** A moment of a figure that is looked at. Default: at both widths, in light and dark. */
export type KeyFrame = {
  id: string;
  state: string;
  attributes?: Record<string, string>;
  themes?: readonly string[];
  widths?: readonly number[];
};
export const figures: readonly {
  name: string;
  entry: string;
  define: string;
  asks?: boolean;
  frames: readonly KeyFrame[];
}[];
