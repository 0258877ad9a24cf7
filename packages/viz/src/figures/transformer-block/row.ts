/** One row of the diagram: a point of the residual stream, or a part that reads it and adds to it. */
export type Row = {
  key: string;
  kind: "embedding" | "stream" | "norm" | "attention" | "mlp" | "final" | "logit";
  /** Index into `stream`, `normed` or `writes`. */
  k: number;
  y: number;
  height: number;
  /** Height of its expanded content, below it. 0: it is not expanded. */
  opened: number;
  /** True if the current step has reached it. */
  seen: boolean;
};

/** Vertical middle of a row, without its expanded content. */
export const rowMiddle = ({ y, height }: Pick<Row, "y" | "height">): number => y + height / 2;
