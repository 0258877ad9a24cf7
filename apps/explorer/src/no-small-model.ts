/** In place of the small model in the page of the command, whose server has a model: its weights would be most of the page. */
export function modelTiny(): never {
  throw new Error("This page has no small model: its server gives one.");
}
