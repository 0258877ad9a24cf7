// Rows of a table by index, and the gradient of the table. All elements have four bytes.

/** A work item is `step` indices: copies the row of `width` numbers of each. */
export function takeRows(
  item: i32,
  scratch: usize,
  table: usize,
  tableRow: i32,
  indices: usize,
  y: usize,
  count: i32,
  step: i32,
  width: i32,
): void {
  const last = min(count, (item + 1) * step);
  for (let n = item * step; n < last; n++) {
    const index = load<i32>(indices + ((<usize>n) << 2));
    memory.copy(
      y + ((<usize>n * <usize>width) << 2),
      table + ((<usize>index * <usize>tableRow) << 2),
      (<usize>width) << 2,
    );
  }
}

/** A work item is up to 64 columns: adds each row of dy to the row of the table from which it was taken, in order. */
export function addRows(
  item: i32,
  scratch: usize,
  dy: usize,
  indices: usize,
  y: usize,
  rows: i32,
  count: i32,
  width: i32,
): void {
  const first = item << 6;
  const columns = min(64, width - first);
  for (let r = 0; r < rows; r++) {
    memory.fill(y + ((<usize>r * <usize>width + <usize>first) << 2), 0, (<usize>columns) << 2);
  }
  for (let n = 0; n < count; n++) {
    const index = load<i32>(indices + ((<usize>n) << 2));
    const from = dy + ((<usize>n * <usize>width + <usize>first) << 2);
    const to = y + ((<usize>index * <usize>width + <usize>first) << 2);
    let i: usize = 0;
    for (; i + 16 <= (<usize>columns) << 2; i += 16) {
      v128.store(to + i, f32x4.add(v128.load(to + i), v128.load(from + i)));
    }
    for (; i < (<usize>columns) << 2; i += 4) store<f32>(to + i, load<f32>(to + i) + load<f32>(from + i));
  }
}
