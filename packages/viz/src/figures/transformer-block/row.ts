/** One line of the diagram: a point of the stream, or a part that reads it and writes to it. */
export type Row = {
  key: string;
  kind: "embedding" | "stream" | "norm" | "attention" | "mlp" | "final" | "logit";
  /** Index into `stream`, `normed` or `writes`. */
  k: number;
  y: number;
  height: number;
  /** Room below for what is inside it. */
  opened: number;
  /** It has been reached in the story. */
  seen: boolean;
};

/** Middle of the part of a row that stays when it is opened. */
export const rowMiddle = ({ y, height }: Pick<Row, "y" | "height">): number => y + height / 2;
