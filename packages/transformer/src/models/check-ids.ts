import { isList, ShapeError, type Checks } from "@qkv/core";
import { isTensor, tensor, type Device, type Tensor } from "@qkv/tensor";

/** Token ids of a batch: `[B, T]` as a tensor of integers, a list for one sequence, or a list of lists of one length. */
export type TokenIds = Tensor | readonly number[] | readonly (readonly number[])[];

/** Token ids `[B, T]` on a device. */
export function checkIds(
  check: Checks,
  ids: TokenIds,
  { device, vocabSize }: { device: Device; vocabSize: number | undefined },
  argument = "ids",
): Tensor {
  if (!isTensor(ids)) {
    const rows = isNested(ids)
      ? checkRows(check, ids, vocabSize, argument)
      : [checkIdList(check, ids, vocabSize, argument)];
    return tensor(rows.flat(), { shape: [rows.length, rows[0]!.length], dtype: "int32", device });
  }
  const { shape, dtype, device: idsDevice } = ids;
  // Devices inside `vmap` wrap other devices.
  if (idsDevice.name !== device.name && !idsDevice.isOver && !device.isOver) {
    check.refuse({
      argument,
      received: `a tensor on ${idsDevice.name}`,
      expected: `a tensor on ${device.name}, where the params are`,
      fix: "make batches with the option `device`, or move one side with `to(device)`.",
    });
  }
  if (!dtype.startsWith("int") && dtype !== "uint8") {
    check.refuse({
      argument,
      received: ids,
      expected: "token ids, as integers",
      fix: '`cast(ids, "int32")`, or give a plain list for one sequence.',
    });
  }
  if (shape.length === 2 && shape[0]! > 0 && shape[1]! > 0) {
    // Ids in device memory, and batched ids inside `vmap`, are checked by the embedding lookup.
    if (!idsDevice.remote && !idsDevice.isOver)
      checkRange(check, ids.data as ArrayLike<number>, vocabSize, argument);
    return ids;
  }
  check.refuse(
    {
      argument,
      received: shape,
      expected: "[B, T]: a row of token ids for each sequence, one sequence and one token or more",
      fix: "reshape the ids, or give a plain list for one sequence.",
    },
    ShapeError,
  );
}

/** True for a list of lists: ids of several sequences. */
export const isNested = (ids: unknown): ids is readonly (readonly number[])[] =>
  Array.isArray(ids) && isList(ids[0]);

/** Checks the ids of several sequences, which must have one length. */
function checkRows(
  check: Checks,
  ids: readonly (readonly number[])[],
  vocabSize: number | undefined,
  argument: string,
): (readonly number[])[] {
  const rows = ids.map((row, i) => checkIdList(check, row, vocabSize, `${argument}[${i}]`));
  const T = rows[0]!.length;
  const ragged = rows.findIndex(({ length }) => length !== T);
  if (ragged < 0) return rows;
  return check.refuse(
    {
      argument,
      received: `sequences of ${T} and of ${rows[ragged]!.length} tokens`,
      expected: "[B, T]: sequences of one length",
      fix: "pad them: `tokenizer.encodeBatch(texts, { padding: true })` for texts, `pad(ids, { padId })` of @qkv/tokenizer for ids.",
    },
    ShapeError,
  );
}

/** Checks the ids of one sequence: a list or typed array of integers. */
export function checkIdList(
  check: Checks,
  ids: unknown,
  vocabSize: number | undefined,
  argument = "ids",
): readonly number[] {
  const idList: unknown = ArrayBuffer.isView(ids)
    ? Array.from(ids as Int32Array | BigInt64Array, Number)
    : ids;
  if (!Array.isArray(idList) || idList.length === 0) {
    check.refuse({
      argument,
      received: ids,
      expected: "token ids: a list of integers, one or more, or a tensor [B, T]",
      fix: "give token ids as the tokenizer's `encode` returns them.",
    });
  }
  checkRange(check, idList as number[], vocabSize, argument);
  return idList as number[];
}

/** Checks that ids are in the vocabulary: an id outside would read another row. Custom models may have no vocabulary size. */
function checkRange(
  check: Checks,
  ids: ArrayLike<number>,
  vocabSize: number | undefined,
  argument: string,
): void {
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (isId(id, vocabSize)) continue;
    check.refuse({
      argument: ids.length === 1 ? argument : `${argument}[${i}]`,
      received: id,
      expected: `${expectedIds(vocabSize)}, a token id of the model`,
      fix: "give token ids as the tokenizer's `encode` returns them, of the tokenizer that belongs to the model.",
    });
  }
}

/** True for a token id in the vocabulary, or any id if its size is unknown. */
export function isId(id: unknown, vocabSize = Infinity): boolean {
  return Number.isInteger(id) && (id as number) >= 0 && (id as number) < vocabSize;
}

const expectedIds = (vocabSize: number | undefined) =>
  vocabSize === undefined ? "an integer, 0 or more" : `an integer from 0 to ${vocabSize - 1}`;
