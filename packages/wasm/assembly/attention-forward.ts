// Attention forward: an item is one head's 64 queries, which walk the tiles of keys that the plan shows them.
import { attentionScratch, beginTile, endTile, mixTile, scoreTile } from "./attention";
import {
  address, BITS, BITS_AT, CLASSES, COLUMNS, DIM, findRows, float, GROUP, HEADS, KEY_PARTS, KEYS, LSE, OUTPUT, PART,
  PARTS, PLAN_BATCH, PLAN_HEAD, QUERIES, QUERY, ROWS, rowStep, SCALE, SOFTCAP, VALUE_DIM, word,
} from "./request";

/** Bytes of scratch of one thread: the tile's own, then room for copies of 64 keys and 64 values. */
export function attentionForwardScratch(dim: i32, valueDim: i32): i32 {
  const width = (valueDim + 7) & ~7;
  return attentionScratch(dim, width) + 64 * (dim + width) * 4;
}

/** Within a head the last queries come first: under a causal mask they see most. Returns 1 if a score was no number. */
export function attentionForward(item: i32, scratch: usize, request: usize): i32 {
  const rows = word(request, ROWS);
  const heads = word(request, HEADS);
  const queries = word(request, QUERIES);
  const keys = word(request, KEYS);
  const dim = word(request, DIM);
  const valueDim = word(request, VALUE_DIM);
  const width = (valueDim + 7) & ~7;
  const columns = word(request, COLUMNS);
  const place = item / rows;
  const row = rows - 1 - (item % rows);
  const batch = place / heads;
  const head = place % heads;
  const kvHead = head / word(request, GROUP);
  const t = row << 6;
  const count = min(64, queries - t);
  const keyParts = request + (KEY_PARTS << 2);
  const valueParts = keyParts + ((<usize>word(request, PARTS) * PART) << 2);
  const keyScratch = scratch + <usize>attentionScratch(dim, width);
  const valueScratch = keyScratch + <usize>(dim << 8);

  const query = address(request, QUERY) + <usize>(
    (batch * word(request, QUERY + 1) + head * word(request, QUERY + 2) + t * word(request, QUERY + 3)) << 2
  );
  beginTile(query, word(request, QUERY + 3), word(request, QUERY + 4), count, dim, width, float(request, SCALE), scratch);
  const first = batch * word(request, PLAN_BATCH) + head * word(request, PLAN_HEAD) + row * columns;
  for (let column = 0; column < columns; column++) {
    const tile = <usize>(first + column);
    const whole = load<u8>(address(request, CLASSES) + tile);
    if (whole == 0) continue;
    const start = column << 6;
    const length = min(64, keys - start);
    const mask = whole == 1 ? address(request, BITS) + (<usize>word(address(request, BITS_AT), tile) << 2) : 0;
    const key = findRows(keyParts, batch, kvHead, start, length, dim, dim, keyScratch);
    scoreTile(key, rowStep, length, count, dim, float(request, SOFTCAP), mask, scratch);
    const value = findRows(valueParts, batch, kvHead, start, length, valueDim, width, valueScratch);
    if (!mixTile(value, rowStep, length, count, dim, width, scratch)) return 1;
  }
  const at = <usize>(place * queries + t);
  endTile(
    address(request, OUTPUT) + ((at * <usize>valueDim) << 2),
    address(request, LSE) + (at << 2),
    count, dim, width, valueDim, scratch,
  );
  return 0;
}
