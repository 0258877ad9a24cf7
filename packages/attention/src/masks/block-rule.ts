import type { Range, TileClass } from "@qkv/attention-contract";

/**
 * The rule of a mask over blocks of `blockSize` consecutive positions: the queries of a block see all keys of another block, or
 * none.
 */
export function blockRule(
  blockSize: number,
  seesBlock: (queryBlock: number, keyBlock: number, head: number) => boolean,
) {
  const blockOf = (position: number) => Math.floor(position / blockSize);
  return {
    sees: (query: number, key: number, _batch: number, head: number) =>
      seesBlock(blockOf(query), blockOf(key), head),
    tile(query: Range, key: Range, _batch: number, head: number): TileClass {
      let [seen, blocks] = [0, 0];
      for (let q = blockOf(query.first); q <= blockOf(query.last); q++) {
        for (let k = blockOf(key.first); k <= blockOf(key.last); k++, blocks++) {
          if (seesBlock(q, k, head)) seen += 1;
        }
      }
      return seen === 0 ? "none" : seen === blocks ? "all" : "some";
    },
  };
}
